//! Why a checkpoint cannot be used.

use std::io;
use std::path::PathBuf;

/// Why a checkpoint cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file cannot be read or written.
    #[error("the checkpoint {}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: io::Error,
    },
    /// It is no checkpoint, or was damaged.
    #[error(
        "{} is no whole checkpoint ({reason}): give --from-scratch to begin anew in its place, or another --checkpoint",
        path.display()
    )]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: &'static str,
    },
    /// It is of a run with other settings.
    #[error(
        "the checkpoint {} is of a run whose {setting} is {was}, and not {now}: give the settings that it has, \
         --from-scratch to begin anew in its place, or another --checkpoint",
        path.display()
    )]
    Other {
        /// The file.
        path: PathBuf,
        /// The setting.
        setting: String,
        /// Its value there.
        was: String,
        /// Its value here.
        now: String,
    },
}
