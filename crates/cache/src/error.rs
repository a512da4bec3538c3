//! Why a folder of entries could not be used.

use std::io;
use std::path::{Path, PathBuf};

/// A folder that could not be opened, read or written. An entry that is broken is none of these, but absent.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The folder holds something else.
    #[error("{} holds other files: give --index-dir an empty folder, or one that does not exist yet", path.display())]
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
    /// The system refused.
    #[error("cannot {what} {}: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// With which file or folder.
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
}
