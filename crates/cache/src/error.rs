//! Why a folder of entries could not be used.

use std::io;
use std::path::{Path, PathBuf};

use headwater_types::write_fault::InWords;
use headwater_types::{ByteCount, WriteFault};

use crate::not_kept::NotKept;

/// A folder that could not be opened, read or written. An entry that is broken is none of these, but absent.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The folder holds something else.
    #[error("{} holds other files: give --cache-dir an empty folder, or one that does not exist yet", path.display())]
    NotOurs {
        /// The folder.
        path: PathBuf,
    },
    /// The folder was made by another version of this program.
    #[error("{} is of another version: delete the folder, it is made again from the photos", path.display())]
    OtherVersion {
        /// The folder.
        path: PathBuf,
    },
    /// The entries take as many bytes as they may.
    #[error("{} takes {usage} of {limit}: raise --cache-ssd", path.display())]
    Full {
        /// The folder.
        path: PathBuf,
        /// The bytes that the entries take.
        usage: ByteCount,
        /// The bytes that the entries may take.
        limit: ByteCount,
    },
    /// The file system has less free than it is to have.
    #[error("{} is on a file system with {free} free, of which {floor} are to stay: free some of it", path.display())]
    Floor {
        /// The folder.
        path: PathBuf,
        /// The bytes that are free.
        free: ByteCount,
        /// The bytes that are to stay free.
        floor: ByteCount,
    },
    /// Another process has the folder's lock for longer than any work with it takes.
    #[error("another process holds {}: is one stopped?", path.display())]
    Busy {
        /// The ledger, which is the lock.
        path: PathBuf,
    },
    /// The bytes that the folder takes are not known yet: its ledger was lost, and they are being counted.
    #[error("the entries of {} are being counted: its ledger was lost", path.display())]
    Uncounted {
        /// The folder.
        path: PathBuf,
    },
    /// The folder was deleted, moved or exchanged while it was in use.
    #[error("{} was deleted, or another is in its place", path.display())]
    Gone {
        /// The folder.
        path: PathBuf,
    },
    /// The entry is longer than the memory that its readers have ready.
    #[error("an entry of {length} is longer than the {most} that its key allows")]
    TooLong {
        /// The entry's bytes.
        length: ByteCount,
        /// The most bytes that the entry may have.
        most: ByteCount,
    },
    /// The system refused.
    #[error("cannot {what} {}: {}", path.display(), InWords(source))]
    Io {
        /// What was tried.
        what: &'static str,
        /// The file or folder with which it was tried.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

// === impl DirectoryError ===

impl DirectoryError {
    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { what, path, source }
    }

    /// Why an entry is not kept, where this is what came of putting it.
    pub fn not_kept(&self) -> NotKept {
        match self {
            Self::Full { .. } => NotKept::Limit,
            Self::Floor { .. } => NotKept::Floor,
            Self::Busy { .. } | Self::Uncounted { .. } => NotKept::Busy,
            Self::Io { source, .. } => NotKept::Disk(WriteFault::of(source)),
            Self::NotOurs { .. } | Self::OtherVersion { .. } | Self::TooLong { .. } | Self::Gone { .. } => {
                NotKept::Disk(WriteFault::Other)
            }
        }
    }
}
