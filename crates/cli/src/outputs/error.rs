//! Why an output cannot be written: the setting, the place, the bytes, and what would help.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use headwater_types::WriteFault;
use headwater_types::write_fault::InWords;

use super::setting::Setting;
use super::{beside, space};

/// Why an output cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The place is a folder, and a file is to be written.
    #[error("{setting} {} is a folder: give it a file", path.display())]
    IsFolder {
        /// The setting that names the output.
        setting: Setting,
        /// The value of the setting.
        path: PathBuf,
    },
    /// The place is a file, and a folder is to be written to.
    #[error("{setting} {} is a file: give it a folder", path.display())]
    IsFile {
        /// The setting that names the output.
        setting: Setting,
        /// The value of the setting.
        path: PathBuf,
    },
    /// The folder that is to hold the output is missing.
    #[error(
        "{setting} {} cannot be written: there is no folder {}: make it, or give {setting} another place",
        path.display(), folder.display()
    )]
    NoFolder {
        /// The setting that names the output.
        setting: Setting,
        /// The value of the setting.
        path: PathBuf,
        /// The folder that is missing.
        folder: PathBuf,
    },
    /// Another output goes to the same place.
    #[error("{setting} and {other} are the same file, {}: give each its own", path.display())]
    Same {
        /// The setting that names the output.
        setting: Setting,
        /// The other setting.
        other: Setting,
        /// The value of both settings.
        path: PathBuf,
    },
    /// The output would replace a file that is read.
    #[error("{setting} {} is the file that {other} reads: give {setting} another place", path.display())]
    Input {
        /// The setting that names the output.
        setting: Setting,
        /// The setting of the input.
        other: Setting,
        /// The value of both settings.
        path: PathBuf,
    },
    /// The output does not fit on its disk.
    #[error(
        "{setting} {}: {}: {}: make room, or give {setting} a place on another disk",
        path.display(), fault.words().unwrap_or_default(), Room(*needed, *free)
    )]
    Full {
        /// The setting that names the output.
        setting: Setting,
        /// The value of the setting.
        path: PathBuf,
        /// What is full.
        fault: WriteFault,
        /// Bytes that are needed, as far as is known.
        needed: u64,
        /// Bytes that are free on the file system, where it says so.
        free: Option<u64>,
    },
    /// The file system refused.
    #[error("{setting} {} cannot be written: {}", path.display(), InWords(error))]
    Io {
        /// The setting that names the output.
        setting: Setting,
        /// The value of the setting.
        path: PathBuf,
        /// What the file system said.
        #[source]
        error: io::Error,
    },
    /// The content that was to be written could not be made.
    #[error("what goes to {setting} {} could not be made: {error}", path.display())]
    Content {
        /// The setting that names the output.
        setting: Setting,
        /// The value of the setting.
        path: PathBuf,
        /// The reason.
        #[source]
        error: Box<dyn Error + Send + Sync>,
    },
}

/// What was made could not be put into its place, and lies in another.
#[derive(Debug, thiserror::Error)]
#[error("{error}; what was made is kept in {}", kept.display())]
pub struct KeptElsewhere {
    /// The file in which it is kept.
    pub kept: PathBuf,
    /// The reason for which it is not where it was to be.
    pub error: OutputError,
}

struct Room(u64, Option<u64>);

// === impl OutputError ===

impl OutputError {
    /// The error for what the system said when `needed` bytes, or more, were to be written.
    pub(super) fn of_writing(setting: &Setting, path: &Path, needed: u64, error: io::Error) -> Self {
        let (setting, path, fault) = (setting.clone(), path.to_owned(), WriteFault::of(&error));
        if !fault.is_full() {
            return Self::Io { setting, path, error };
        }
        let free = if path.is_dir() { space::free(&path) } else { space::free(beside::folder_of(&path)) };
        Self::Full { setting, path, fault, needed, free }
    }

    /// Whether the settings contradict each other, whatever is there.
    pub(crate) fn is_usage(&self) -> bool {
        matches!(self, Self::Same { .. } | Self::Input { .. })
    }

    /// Whether the place is at fault, and another might do.
    pub(super) fn is_of_place(&self) -> bool {
        matches!(self, Self::Full { .. } | Self::Io { .. })
    }
}

impl fmt::Display for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes are needed", self.0)?;
        match self.1 {
            Some(free) => write!(f, " and {free} are free"),
            None => Ok(()),
        }
    }
}
