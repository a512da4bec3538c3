//! The folder itself, held open: everything in it is found below this handle, whatever happens to its path.
//!
//! A folder was deleted, moved or exchanged under a running program where the path no longer leads to the handle's
//! folder.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::error::DirectoryError;
use crate::ledger::{self, Ledger};
use crate::name::EntryName;

/// An opened folder of entries.
#[derive(Debug)]
pub(crate) struct Root {
    folder: File,
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
    pub(crate) fn open(path: &Path) -> Result<(Self, PathBuf), DirectoryError> {
        let make = |path: &Path| DirBuilder::new().recursive(true).mode(0o700).create(path);
        make(path).map_err(DirectoryError::io("make the folder", path))?;
        let path = path.canonicalize().map_err(DirectoryError::io("open", path))?;
        let opened = File::open(&path).and_then(|folder| Ok((identity(&folder.metadata()?), folder)));
        let (identity, folder) = opened.map_err(DirectoryError::io("open", &path))?;
        let found = Contents::look(&path).map_err(DirectoryError::io("read", &path))?;
        if found == Contents::Others {
            return Err(DirectoryError::NotOurs { path });
        }
        let ledger = Ledger::open(&folder, path.join(ledger::NAME))?;
        if found == Contents::Nothing {
            // Where another process has the lock, it has seen this too.
            match ledger.lock() {
                Ok(mut ledger) if !ledger.taken().is_all => ledger.set_empty()?,
                Ok(_) | Err(DirectoryError::Busy { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok((Self { folder, ledger, identity }, path))
    }

    /// Whether the path still leads here, and the ledger is the folder's.
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        std::fs::metadata(path).is_ok_and(|data| identity(&data) == self.identity) && !self.ledger.is_gone()
    }

    /// The file of this name.
    pub(crate) fn file(&self, name: &EntryName) -> Result<File, Errno> {
        rustix::fs::openat(&self.folder, &name.path()[..], READ, Mode::empty()).map(File::from)
    }

    /// One of the folder's folders.
    pub(crate) fn shard(&self, shard: u8) -> io::Result<File> {
        Ok(rustix::fs::openat(&self.folder, shard_name(shard), FOLDER, Mode::empty())?.into())
    }

    /// One of the folder's folders, which is made where it is not there yet.
    pub(crate) fn shard_to_write(&self, shard: u8) -> io::Result<File> {
        match self.shard(shard) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                match rustix::fs::mkdirat(&self.folder, shard_name(shard), Mode::from_raw_mode(0o777)) {
                    Ok(()) | Err(Errno::EXIST) => self.shard(shard),
                    Err(error) => Err(error.into()),
                }
            }
            other => other,
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
    fn look(path: &Path) -> io::Result<Self> {
        let mut found = Self::Nothing;
        for entry in std::fs::read_dir(path)? {
            let entry = entry?;
            let (name, kind) = (entry.file_name(), entry.file_type()?);
            let name = name.as_encoded_bytes();
            if name.len() == 2 && name.iter().all(u8::is_ascii_hexdigit) && kind.is_dir() {
                found = Self::Shards;
            } else if name != ledger::NAME.as_bytes() && !name.starts_with(NFS_REMAINS) {
                return Ok(Self::Others);
            }
        }
        Ok(found)
    }
}

fn identity(data: &std::fs::Metadata) -> (u64, u64) {
    (data.dev(), data.ino())
}

/// Two digits.
pub(crate) fn shard_name(shard: u8) -> String {
    format!("{shard:02x}")
}
