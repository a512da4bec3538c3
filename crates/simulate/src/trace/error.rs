//! Why text is no trace.

/// The names that a header may have.
const NAMES: &str = "epoch, sample or key, bytes or size, cost, loss, flag, full_access, job";

/// A line of a trace that is wrong.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("line {line}, column {column}: {fault}")]
pub struct TraceError {
    /// The number of the line, from 1.
    pub line: u64,
    /// The character of the line at which it goes wrong, from 1.
    pub column: u64,
    /// What is wrong there.
    pub fault: TraceFault,
}

/// What is wrong at a place.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TraceFault {
    /// There is no header, or no row behind it.
    #[error("the trace is empty: the first line must name the columns, and accesses follow, one a line")]
    Empty,
    /// The line is not UTF-8.
    #[error("the line is not text")]
    NotText,
    /// The line has more bytes than a row can have.
    #[error("the line has more than {0} bytes")]
    LongLine(usize),
    /// The header has a name that no column has.
    #[error("there is no column {0:?}: the first line must name some of {NAMES}")]
    UnknownColumn(String),
    /// A column is there twice, under one name or two.
    #[error("there is a column for {0} already")]
    DuplicateColumn(&'static str),
    /// The header has no column of keys.
    #[error("there must be a column `sample` or `key`")]
    NoKeys,
    /// The row has fewer or more fields than the header.
    #[error("the row has {given} fields, and the header {expected}: fields are separated by tabs")]
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
        name: &'static str,
        /// What stands in the file.
        text: String,
        /// What should stand there.
        expected: &'static str,
    },
    /// A job goes back to an earlier epoch.
    #[error("epoch is {given} after {before}: the epochs of a job follow each other")]
    EpochBack {
        /// The epoch that the job had before.
        before: u32,
        /// The epoch of this row.
        given: u32,
    },
    /// There are more rows, samples or jobs than a trace may have.
    #[error("the trace has more than {most} {what}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The most that there may be.
        most: u64,
    },
}
