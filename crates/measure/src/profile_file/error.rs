//! Why a profile could not be written or read.

use std::io;

use arrow_schema::ArrowError;
use headwater_plan::ProfileError;
use parquet::errors::ParquetError;

/// Why a profile could not be written or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProfileFileError {
    /// The file system said so.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Not Parquet, or torn.
    #[error("it is not a readable Parquet file")]
    Parquet(#[from] ParquetError),
    /// Columns that cannot be read.
    #[error("its columns cannot be read")]
    Arrow(#[from] ArrowError),
    /// Metadata that is missing or unreadable.
    #[error(
        "the metadata entry {key} is {fault}: is it a profile? `profiler dataset` and `profiler import` write them"
    )]
    Metadata {
        /// Which.
        key: &'static str,
        /// What is wrong with it.
        fault: String,
    },
    /// A profile of another version.
    #[error("it is a profile of version {0:?}, and this program reads version 1")]
    Version(String),
    /// Other columns.
    #[error("it has other columns than a profile of its ways: {0}")]
    Columns(String),
    /// Numbers that no profile has.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// Something else is not what was written.
    #[error("its content is not what was written: {0}")]
    Content(&'static str),
}
