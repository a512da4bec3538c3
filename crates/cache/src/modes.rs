//! Who may read and write what is made in a folder: whoever may do so with the folder itself.
//!
//! A new folder is for its user only. One that several users are to share is made by somebody who gives it to all of
//! them, best with `chmod 2770` and a group that they are all in: files then have that group, whoever makes them. The
//! umask of each user would keep the others out, so that the folder's mode counts instead.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

use rustix::fs::Mode;
use rustix::io::Errno;

use crate::disk::Disk;

/// The modes of what is made in a folder.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Modes(u32);

/// Read and write, for user, group and others.
const FILE: u32 = 0o666;
/// The same with entering, and the bit that hands the folder's group on.
const FOLDER: u32 = 0o2777;
/// For group and others.
const SHARED: u32 = 0o077;

/// Times that something is opened that another is making, and the time between.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(2);

// === impl Modes ===

impl Modes {
    /// As the folder has them.
    pub(crate) fn of(folder: &Metadata) -> Self {
        Self(folder.mode())
    }

    /// For a new file.
    pub(crate) fn file(self) -> Mode {
        Mode::from_raw_mode(self.0 & FILE | 0o600)
    }

    /// For a new folder.
    pub(crate) fn folder(self) -> Mode {
        Mode::from_raw_mode(self.0 & FOLDER | 0o700)
    }

    /// Opens what another may just have made, who gives it to all the moment after: until then it is forbidden.
    pub(crate) fn open<T>(self, open: impl Fn() -> Result<T, Errno>) -> Result<T, Errno> {
        let tries = if self.0 & SHARED == 0 { 1 } else { TRIES };
        let mut opened = open();
        for _ in 1..tries {
            if !matches!(opened, Err(Errno::ACCESS)) {
                break;
            }
            std::thread::park_timeout(PAUSE);
            opened = open();
        }
        opened
    }

    /// Gives a file that was just made to whom the folder is given, whatever the umask says.
    pub(crate) fn share_file(self, disk: &Disk, made: &File) -> Result<(), Errno> {
        if self.0 & SHARED == 0 { Ok(()) } else { disk.set_mode(made, self.file()) }
    }

    /// The same for a folder.
    pub(crate) fn share_folder(self, disk: &Disk, made: &File) -> Result<(), Errno> {
        if self.0 & SHARED == 0 { Ok(()) } else { disk.set_mode(made, self.folder()) }
    }
}

impl Default for Modes {
    /// For one user only.
    fn default() -> Self {
        Self(0o700)
    }
}
