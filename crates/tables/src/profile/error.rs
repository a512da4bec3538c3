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
    /// The file system gave an error.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file cannot be put into its place.
    #[error("{0}")]
    Output(#[from] OutputError),
    /// The file is empty.
    #[error(
        "it is an empty file: was the disk full when it was written? `profiler dataset` or `profiler import` writes \
         it again"
    )]
    Empty,
    /// The file begins as Parquet does, and does not end so.
    #[error(
        "it is torn: it begins as a Parquet file and has no end after {length} bytes, so the disk was full or it was \
         not copied \
         whole: write or copy it again"
    )]
    Torn {
        /// Bytes that are there.
        length: u64,
    },
    /// The file is of another kind.
    #[error("it is no Parquet file: `profiler dataset` and `profiler import` write profiles{}", Hint(*looks_like))]
    NotParquet {
        /// The kind of file that it looks like, where that can be said.
        looks_like: Option<&'static str>,
    },
    /// The file begins and ends as Parquet does, and something between its ends is not what was written.
    #[error(
        "it is damaged: it begins and ends as a Parquet file, and between them is another content than was written: \
         write or copy it again"
    )]
    Parquet(#[from] ParquetError),
    /// The columns cannot be read.
    #[error("its columns cannot be read")]
    Arrow(#[from] ArrowError),
    /// An entry of the metadata is missing or unreadable.
    #[error(
        "the metadata entry {key} is {fault}: is it a profile? `profiler dataset` and `profiler import` write them"
    )]
    Metadata {
        /// The name of the entry.
        key: &'static str,
        /// What is wrong with it.
        fault: String,
    },
    /// The profile is of another version.
    #[error("it is a profile of version {0:?}, and this program reads version 1")]
    Version(String),
    /// The columns are not those of the ways.
    #[error("it has other columns than a profile of its ways: {0}")]
    Columns(String),
    /// The numbers are not those of any profile.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The Parquet reader cannot get through a page.
    #[error("it is damaged: a page cannot be read: write or copy it again")]
    Page,
    /// The content is not what was written.
    #[error("its content is not what was written: {0}")]
    Content(&'static str),
}

struct Hint(Option<&'static str>);

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |hint| write!(f, " ({hint})"))
    }
}
