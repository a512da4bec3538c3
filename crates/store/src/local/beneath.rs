//! One folder held open, and what lies beneath it.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, FileType, Metadata, OpenOptions, OpenOptionsExt};
use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::file::File;

/// A folder of this machine, held open.
#[derive(Debug)]
pub(super) struct Beneath(Dir);

/// What stands under a name in a folder.
pub(crate) struct Item(cap_std::fs::DirEntry);

// === impl Beneath ===

impl Beneath {
    /// Opens the folder at this path, and says which path it has without links.
    pub(super) fn open(path: &Path) -> io::Result<(Self, PathBuf)> {
        Ok((Self(Dir::open_ambient_dir(path, ambient_authority())?), path.canonicalize()?))
    }

    /// What stands in a folder beneath this one; the folder itself is the empty path.
    pub(super) fn items(&self, folder: &Path) -> io::Result<impl Iterator<Item = io::Result<Item>> + use<>> {
        let entries = if folder.as_os_str().is_empty() { self.0.entries() } else { self.0.read_dir(folder) };
        Ok(entries?.map(|entry| entry.map(Item)))
    }

    /// What the system knows of a path, links followed. May wait for a disk.
    pub(super) fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        if path.as_os_str().is_empty() { self.0.dir_metadata() } else { self.0.metadata(path) }
    }

    /// What the system knows of a path without waiting for a disk: an error where the path is not in memory. A kernel
    /// that cannot tell (before Linux 5.12) is asked as by [`Self::metadata`].
    pub(super) fn metadata_now(&self, path: &Path) -> io::Result<Metadata> {
        let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        match rustix::fs::openat2(&self.0, path, flags, Mode::empty(), beneath | ResolveFlags::CACHED) {
            Ok(file) => cap_std::fs::File::from_std(file.into()).metadata(),
            Err(Errno::INVAL | Errno::NOSYS | Errno::PERM) => self.metadata(path),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens a file without waiting: a pipe in the file's place would otherwise hold the thread until somebody writes
    /// to it.
    pub(super) fn file(&self, path: &Path) -> io::Result<File> {
        let mut options = OpenOptions::new();
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        options.read(true).custom_flags(flags.bits().cast_signed());
        self.0.open_with(path, &options).map(File)
    }
}

// === impl Item ===

impl Item {
    pub(crate) fn name(&self) -> OsString {
        self.0.file_name()
    }

    /// What the item is, links not followed.
    pub(crate) fn file_type(&self) -> io::Result<FileType> {
        let known = self.0.file_type()?;
        if known.is_dir() || known.is_file() || known.is_symlink() {
            return Ok(known);
        }
        // Some file systems do not tell types in their listings.
        Ok(self.metadata()?.file_type())
    }

    pub(crate) fn metadata(&self) -> io::Result<Metadata> {
        self.0.metadata()
    }
}
