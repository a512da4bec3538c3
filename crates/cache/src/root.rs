//! The folder itself, held open: everything in it is found below this handle, whatever happens to its path.
//!
//! A folder was deleted, moved or exchanged under a running program where the path no longer leads to the handle's
//! folder.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::disk::Disk;
use crate::error::DirectoryError;
use crate::ledger::{self, Ledger};
use crate::modes::Modes;
use crate::name::EntryName;

/// An opened folder of entries.
#[derive(Debug)]
pub(crate) struct Root {
    pub(crate) disk: Disk,
    folder: File,
    pub(crate) modes: Modes,
    pub(crate) ledger: Ledger,
    /// Device and inode.
    identity: (u64, u64),
}

/// What a read opens: never anything that waits, nor follows a link.
const READ: OFlags =
    OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);
const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW).union(OFlags::DIRECTORY);

// === impl Root ===

impl Root {
    /// Opens the folder at this path, or makes it, for this user only. Looks at no entry.
    pub(crate) fn open(disk: &Disk, path: &Path) -> Result<(Self, PathBuf), DirectoryError> {
        disk.make_path(path).map_err(DirectoryError::io("make the folder", path))?;
        let path = disk.canonicalize(path).map_err(DirectoryError::io("open", path))?;
        let opened = disk.open(&path).and_then(|folder| Ok((disk.stat_file(&folder)?, folder)));
        let (data, folder) = opened.map_err(DirectoryError::io("open", &path))?;
        let (identity, modes) = (identity(&data), Modes::of(&data));
        let found = Contents::look(disk, &folder).map_err(DirectoryError::io("read", &path))?;
        if found == Contents::Others {
            return Err(DirectoryError::NotOurs { path });
        }
        let ledger = Ledger::open(disk, &folder, modes, path.join(ledger::NAME))?;
        if found == Contents::Nothing {
            // Where another process has the lock, it has seen this too.
            match ledger.lock() {
                Ok(mut ledger) if !ledger.taken().is_all => ledger.set_empty()?,
                Ok(_) | Err(DirectoryError::Busy { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok((Self { disk: disk.clone(), folder, modes, ledger, identity }, path))
    }

    /// Whether the path still leads here, and the ledger is the folder's.
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        self.disk.stat(path).is_ok_and(|data| identity(&data) == self.identity) && !self.ledger.is_gone()
    }

    /// The file of this name.
    pub(crate) fn file(&self, name: &EntryName) -> Result<File, Errno> {
        self.disk.open_at(&self.folder, &name.path(), READ, Mode::empty())
    }

    /// One of the folder's folders.
    pub(crate) fn shard(&self, shard: u8) -> io::Result<File> {
        Ok(self.open_shard(shard)?)
    }

    fn open_shard(&self, shard: u8) -> Result<File, Errno> {
        self.disk.open_at(&self.folder, shard_name(shard).as_bytes(), FOLDER, Mode::empty())
    }

    /// One of the folder's folders, which is made where it is not there yet.
    pub(crate) fn shard_to_write(&self, shard: u8) -> io::Result<File> {
        match self.modes.open(|| self.open_shard(shard)) {
            Err(Errno::NOENT) => {
                match self.disk.make_folder_at(&self.folder, shard_name(shard).as_bytes(), self.modes.folder()) {
                    Ok(()) => {
                        let made = self.shard(shard)?;
                        self.modes.share_folder(&self.disk, &made)?;
                        Ok(made)
                    }
                    Err(Errno::EXIST) => Ok(self.modes.open(|| self.open_shard(shard))?),
                    Err(error) => Err(error.into()),
                }
            }
            other => Ok(other?),
        }
    }

    /// For questions about its file system.
    pub(crate) fn folder(&self) -> &File {
        &self.folder
    }
}

/// Begins the names under which NFS keeps files that were deleted while somebody had them open.
const NFS_REMAINS: &[u8] = b".nfs";

/// What lies in a folder that is to be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Contents {
    /// No shard.
    Nothing,
    Shards,
    /// Something that this crate has not made.
    Others,
}

// === impl Contents ===

impl Contents {
    fn look(disk: &Disk, folder: &File) -> io::Result<Self> {
        let mut found = Self::Nothing;
        for name in disk.list(folder)? {
            let name = name?;
            let name = name.to_bytes();
            if name.len() == 2 && name.iter().all(u8::is_ascii_hexdigit) && is_folder(disk, folder, name)? {
                found = Self::Shards;
            } else if name != ledger::NAME.as_bytes() && !name.starts_with(NFS_REMAINS) {
                return Ok(Self::Others);
            }
        }
        Ok(found)
    }
}

fn is_folder(disk: &Disk, folder: &File, name: &[u8]) -> io::Result<bool> {
    Ok(FileType::from_raw_mode(disk.stat_at(folder, name)?.st_mode) == FileType::Directory)
}

fn identity(data: &std::fs::Metadata) -> (u64, u64) {
    (data.dev(), data.ino())
}

/// Two digits.
pub(crate) fn shard_name(shard: u8) -> String {
    format!("{shard:02x}")
}
