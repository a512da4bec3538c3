//! Why features cannot be written to a folder of parts, or read from one.

use std::io;
use std::path::{Path, PathBuf};

use arrow_schema::ArrowError;
use headwater_cli::outputs::OutputError;
use parquet::errors::ParquetError;

/// Why a folder of parts cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another tuner is writing to the folder.
    #[error("another tuner is writing to {}: wait for it, or use another --out", .0.display())]
    Locked(PathBuf),
    /// The folder has a Parquet file that its readers would take for a part.
    #[error("{} was not written by tuner extract, and would be read with its parts: use another --out", .0.display())]
    Foreign(PathBuf),
    /// A part holds features of another dataset, model or recipe.
    #[error(
        "{} holds features of another {what} ({there}, not {here}): use another --out, or --overwrite to drop them",
        path.display()
    )]
    Different {
        /// The part.
        path: PathBuf,
        /// In what it differs.
        what: &'static str,
        /// What is extracted now.
        here: String,
        /// What the part holds.
        there: String,
    },
    /// The folder has no part.
    #[error("{} holds no features: run tuner extract --out {} first", .0.display(), .0.display())]
    Empty(PathBuf),
    /// The parts do not hold every sample.
    #[error("{} lacks sample {missing} and maybe more: run the same tuner extract again to complete \
    it", folder.display())]
    Gap {
        /// The folder.
        folder: PathBuf,
        /// The first sample that is missing.
        missing: u64,
    },
    /// The parts are of two extractions.
    #[error("{} holds features of another {what} than the parts before it: extract again into an empty \
    folder", part.display())]
    Mixed {
        /// The first part that differs.
        part: PathBuf,
        /// In what it differs.
        what: &'static str,
    },
    /// A file cannot be put into the folder.
    #[error("{0}")]
    Output(#[from] OutputError),
    /// The file system gave an error.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The error.
        error: io::Error,
    },
    /// A part could not be written, or could be read a moment ago and not now.
    #[error("{}: {error}", path.display())]
    Part {
        /// The part.
        path: PathBuf,
        /// What is wrong with it.
        error: PartError,
    },
}

/// Why a part could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum PartError {
    /// The file system gave an error.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file cannot be put into its place.
    #[error("{0}")]
    Output(#[from] OutputError),
    /// The file is not Parquet, or is torn.
    #[error(transparent)]
    Parquet(#[from] ParquetError),
    /// The columns do not fit together.
    #[error(transparent)]
    Arrow(#[from] ArrowError),
    /// The footer lacks an entry, or has one that cannot be read.
    #[error(transparent)]
    Footer(#[from] FooterError),
    /// An entry could not be put into the footer.
    #[error("the metadata could not be written: {0}")]
    Json(#[from] serde_json::Error),
    /// The columns are not those of a part.
    #[error("it has other columns than key, label and feature")]
    Columns,
    /// What was read is not what was written.
    #[error("its content is not what was written: {0}")]
    Content(&'static str),
}

/// A footer that lacks the entry of this name, or has one that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the metadata entry headwater.{0} is missing or unreadable")]
pub struct FooterError(pub(super) &'static str);

/// Says where the file system gave an error.
pub(super) fn at(path: &Path) -> impl Fn(io::Error) -> FolderError {
    move |error| FolderError::Io { path: path.to_owned(), error }
}
