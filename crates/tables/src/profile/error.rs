//! Why a profile could not be written or read.

use std::fmt;
use std::io;

use arrow_schema::ArrowError;
use headwater_cli::outputs::OutputError;
use headwater_plan::ProfileError;
use parquet::errors::ParquetError;

/// Why a profile could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ProfileFileError {
    /// The file system said so.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It cannot be put into its place.
    #[error("{0}")]
    Output(#[from] OutputError),
    /// Nothing was ever written to it.
    #[error(
        "it is an empty file: was the disk full when it was written? `profiler dataset` or `profiler import` writes it again"
    )]
    Empty,
    /// Begins as Parquet does, and does not end so.
    #[error(
        "it is torn: it begins as a Parquet file and has no end after {length} bytes, so the disk was full or it was not copied \
         whole: write or copy it again"
    )]
    Torn {
        /// Bytes that are there.
        length: u64,
    },
    /// Another kind of file.
    #[error("it is no Parquet file: `profiler dataset` and `profiler import` write profiles{}", Hint(*looks_like))]
    NotParquet {
        /// What it looks like, where that can be said.
        looks_like: Option<&'static str>,
    },
    /// Both ends are Parquet's, and something between them is not what was written.
    #[error(
        "it is damaged: it begins and ends as a Parquet file, and between them is another content than was written: write or copy it again"
    )]
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
    /// Pages that the Parquet reader does not get through.
    #[error("it is damaged: a page cannot be read: write or copy it again")]
    Page,
    /// Something else is not what was written.
    #[error("its content is not what was written: {0}")]
    Content(&'static str),
}

struct Hint(Option<&'static str>);

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |hint| write!(f, " ({hint})"))
    }
}
