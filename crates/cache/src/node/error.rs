//! Why a cache could not be opened, or gave no answer.

use std::io;
use std::path::{Path, PathBuf};

use headwater_types::ByteCount;
use headwater_types::write_fault::InWords;

/// A cache that cannot be used as it was asked for. A value that is broken is none of these, but absent.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The folder holds something else.
    #[error("{} holds other files: give path= an empty folder, or one that does not exist yet", path.display())]
    NotOurs {
        /// The folder.
        path: PathBuf,
    },
    /// Another user could put values there, which are pickles: whoever writes them runs code here.
    #[error(
        "{} belongs to another user or may be written to by others: give path= a folder of your own (chmod 700)",
        path.display()
    )]
    NotPrivate {
        /// The folder.
        path: PathBuf,
    },
    /// A running job has the place for another dataset, or from where its memory is not shared.
    #[error(
        "{} is in use by a running job for another dataset, another version= of it, or from another container: give \
        each its own path= or name=",
        path.display()
    )]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The memory is not enough for the table alone.
    #[error(
        "memory={memory} is too little: the table of {samples} samples alone takes {table}; give more, and where \
        /dev/shm is small, enlarge it (docker run --shm-size=8g; in Kubernetes an emptyDir with medium: Memory)"
    )]
    TooLittle {
        /// Bytes that were given, or that are there.
        memory: ByteCount,
        /// Bytes of the table.
        table: ByteCount,
        /// Samples of the dataset.
        samples: u64,
    },
    /// As many processes as can be share the cache.
    #[error("{} is shared by 1024 processes already", path.display())]
    TooMany {
        /// The folder.
        path: PathBuf,
    },
    /// Another process has the lock for longer than any change takes.
    #[error("another process holds {}: is one stopped?", path.display())]
    Busy {
        /// The table, which is the lock.
        path: PathBuf,
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

// === impl NodeError ===

impl NodeError {
    pub(super) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { what, path, source }
    }
}
