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
    /// Something in one of them.
    #[error("{file} file, line {line}, column {column}: {fault}")]
    File {
        /// Which file.
        file: ImportFile,
        /// Its line, from 1.
        line: u64,
        /// The character of the line at which it goes wrong, from 1.
        column: u64,
        /// What is wrong there.
        fault: ImportFault,
    },
    /// Numbers that no profile can have.
    #[error(transparent)]
    Profile(ProfileError),
}

/// What is wrong at a place.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ImportFault {
    /// Nothing there.
    #[error("the file is empty: the first line must name the columns")]
    Empty,
    /// Not UTF-8.
    #[error("the line is not text")]
    NotText,
    /// Far longer than a row can be.
    #[error("the line has more than {0} bytes")]
    LongLine(usize),
    /// A column that is not one of SOPHON's.
    #[error("there is no column {0:?} in such a file")]
    UnknownColumn(String),
    /// A column twice.
    #[error("the column {0:?} is there twice")]
    DuplicateColumn(String),
    /// A column that must be there.
    #[error("the column {0} is missing")]
    MissingColumn(&'static str),
    /// Fewer or more fields than the header has.
    #[error("the row has {given} fields, and the header {expected}")]
    Fields {
        /// So many it has.
        given: usize,
        /// So many the header has.
        expected: usize,
    },
    /// A field that is not what it should be.
    #[error("{name} is {text:?}, which is not {expected}")]
    Value {
        /// The column's name.
        name: String,
        /// What stands there.
        text: String,
        /// What should.
        expected: &'static str,
    },
    /// Rows out of order.
    #[error("index is {given}, and {expected} should follow: rows must be in order, each once, from 0")]
    Order {
        /// What stands there.
        given: u64,
        /// What should.
        expected: u64,
    },
    /// A file that ends before the other.
    #[error("the file ends before sample {index}: the other file has {samples}")]
    Missing {
        /// The first that is missing.
        index: u64,
        /// So many the other has.
        samples: u64,
    },
    /// A file that goes on after the other.
    #[error("the file has more samples than the other, which has {samples}")]
    Surplus {
        /// So many the other has.
        samples: u64,
    },
    /// More rows than a profile may have.
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
