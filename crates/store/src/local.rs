//! The files of this machine as every local source sees them: below one root, and only ever read.
//!
//! Invariants: this is the one file of the crate that opens a dataset's files, and no function of it writes, makes,
//! renames or removes anything. Every path is resolved by the kernel below the root's own handle (`openat2` with
//! `RESOLVE_BENEATH`, or `cap-std`'s walk of single steps where the kernel has none). A check of names beforehand would
//! lose the race against a link that is put in place between check and open; this has no such moment. It refuses
//! absolute link targets even where they point back into the root: a root that is mounted elsewhere tomorrow then
//! behaves as today.
//!
//! Paths below a root are keys: a name that is no UTF-8 comes as [`to_bytes`] turns it back.

use std::ffi::{OsStr, OsString};
use std::io;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, FileType, Metadata, MetadataExt, OpenOptions, OpenOptionsExt};
use headwater_types::key::to_bytes;
use rustix::buffer::spare_capacity;
use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use crate::version::Version;

/// A folder of this machine, held open.
pub(crate) struct Root(Dir);

/// What stands under a name in a folder.
pub(crate) struct Item(cap_std::fs::DirEntry);

/// A file, opened for reading.
pub(crate) struct File(cap_std::fs::File);

// === impl Root ===

impl Root {
    /// Opens the folder at this path, and says which path it has without links.
    pub(crate) fn open(path: &Path) -> io::Result<(Self, PathBuf)> {
        Ok((Self(Dir::open_ambient_dir(path, ambient_authority())?), path.canonicalize()?))
    }

    /// What stands in a folder below the root; the root itself is the empty path.
    pub(crate) fn items(&self, folder: &str) -> io::Result<impl Iterator<Item = io::Result<Item>>> {
        let entries =
            if folder.is_empty() { self.0.entries() } else { self.0.read_dir(OsStr::from_bytes(&to_bytes(folder))) };
        Ok(entries?.map(|entry| entry.map(Item)))
    }

    /// What the system knows of a path, links followed. May wait for a disk.
    pub(crate) fn metadata(&self, path: &str) -> io::Result<Metadata> {
        self.0.metadata(OsStr::from_bytes(&to_bytes(path)))
    }

    /// What the system knows of a path without waiting for a disk: an error where the path is not in memory. A kernel
    /// that cannot tell (before Linux 5.12) is asked as by [`Self::metadata`].
    pub(crate) fn metadata_now(&self, path: &str) -> io::Result<Metadata> {
        let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        match rustix::fs::openat2(&self.0, &*to_bytes(path), flags, Mode::empty(), beneath | ResolveFlags::CACHED) {
            Ok(file) => cap_std::fs::File::from_std(file.into()).metadata(),
            Err(Errno::INVAL | Errno::NOSYS | Errno::PERM) => self.metadata(path),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens a file without waiting: a pipe in the file's place would otherwise hold the thread until somebody writes
    /// to it.
    pub(crate) fn file(&self, path: &str) -> io::Result<File> {
        let mut options = OpenOptions::new();
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        options.read(true).custom_flags(flags.bits().cast_signed());
        self.0.open_with(OsStr::from_bytes(&to_bytes(path)), &options).map(File)
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

// === impl File ===

impl File {
    pub(crate) fn metadata(&self) -> io::Result<Metadata> {
        self.0.metadata()
    }

    /// The bytes of this range, or fewer where the file ends before, in memory that is as large as the range and was
    /// not zeroed before.
    pub(crate) fn read(&self, range: Range<u64>) -> io::Result<Vec<u8>> {
        let size = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
        let mut bytes = Vec::with_capacity(size);
        while bytes.len() < size {
            let offset = range.start + bytes.len() as u64;
            match rustix::io::pread(&self.0, spare_capacity(&mut bytes), offset) {
                Ok(0) => break,
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(bytes)
    }
}

/// The version of the file that has this metadata.
pub(crate) fn version_of(metadata: &Metadata) -> Version {
    Version::of_file(metadata.len(), metadata.mtime(), metadata.mtime_nsec())
}
