//! Why two files are not a profile of SOPHON's.

use std::fmt;

use crate::profile::ProfileError;

/// Which of the two files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportFile {
    /// `prep_sizes.csv`.
    Sizes,
    /// `prep_times.csv`.
    Times,
}

/// Why two files are not a profile of SOPHON's.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ImportError {
    /// A line of one of the files is wrong.
    #[error("{file} file, line {line}, column {column}: {fault}")]
    File {
        /// Which file.
        file: ImportFile,
        /// The number of the line, from 1.
        line: u64,
        /// The character of the line at which it goes wrong, from 1.
        column: u64,
        /// What is wrong there.
        fault: ImportFault,
    },
    /// The files have numbers that no profile can have.
    #[error(transparent)]
    Profile(ProfileError),
}

/// What is wrong at a place.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ImportFault {
    /// The file is empty.
    #[error("the file is empty: the first line must name the columns")]
    Empty,
    /// The line is not UTF-8.
    #[error("the line is not text")]
    NotText,
    /// The line has this many bytes, far more than a row can have.
    #[error("the line has more than {0} bytes")]
    LongLine(usize),
    /// The header names a column that is not one of SOPHON's.
    #[error("there is no column {0:?} in such a file")]
    UnknownColumn(String),
    /// The header names a column twice.
    #[error("the column {0:?} is there twice")]
    DuplicateColumn(String),
    /// The header lacks a column that must be there.
    #[error("the column {0} is missing")]
    MissingColumn(&'static str),
    /// The row has fewer or more fields than the header.
    #[error("the row has {given} fields, and the header {expected}")]
    Fields {
        /// The number of fields in the row.
        given: usize,
        /// The number of columns in the header.
        expected: usize,
    },
    /// A field does not have the form that its column asks for.
    #[error("{name} is {text:?}, which is not {expected}")]
    Value {
        /// The column's name.
        name: String,
        /// What stands in the file.
        text: String,
        /// What should stand there.
        expected: &'static str,
    },
    /// The rows are out of order.
    #[error("index is {given}, and {expected} should follow: rows must be in order, each once, from 0")]
    Order {
        /// What stands in the file.
        given: u64,
        /// What should stand there.
        expected: u64,
    },
    /// The file ends before the other.
    #[error("the file ends before sample {index}: the other file has {samples}")]
    Missing {
        /// The index of the first sample that is missing.
        index: u64,
        /// The number of samples in the other file.
        samples: u64,
    },
    /// The file goes on after the other has ended.
    #[error("the file has more samples than the other, which has {samples}")]
    Surplus {
        /// The number of samples in the other file.
        samples: u64,
    },
    /// The file has this many rows, more than a profile may have.
    #[error("the file has more than {0} rows")]
    TooMany(u64),
}

// === impl ImportFile ===

impl fmt::Display for ImportFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Sizes => "sizes",
            Self::Times => "times",
        })
    }
}
