//! Why a labels file cannot label a dataset.

use headwater_types::SampleFailure;
use headwater_types::caps::{MAX_CLASSES, MAX_LABELS_BYTES, MAX_LABELS_ROW_BYTES, MAX_SAMPLES};
use headwater_types::field::{FieldError, RecordError};

/// What is wrong with a labels file, with what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum LabelsError {
    /// The file cannot be opened or read.
    #[error("it cannot be read: {0}")]
    Io(String),
    /// The file is no Parquet that is read.
    #[error("{0}")]
    Parquet(SampleFailure),
    /// A column of a table has values that keys, labels or fields cannot have.
    #[error("column {column:?} has {what}")]
    Values {
        /// The column.
        column: String,
        /// What it has.
        what: &'static str,
    },
    /// The file's name does not say a format that is read.
    #[error("its name does not say what it is: name it .csv, .tsv, .jsonl or .parquet")]
    Format,
    /// The file is compressed.
    #[error("it is compressed: unpack it")]
    Compressed,
    /// The file is too large.
    #[error("it has {0} bytes, more than {max}: leave out columns that are not needed", max = MAX_LABELS_BYTES.get())]
    TooLarge(u64),
    /// The file has no rows.
    #[error("it has no rows")]
    Empty,
    /// No column, or more than one, could be the one that is needed.
    #[error("{what}: its columns are {columns}: {fix}")]
    Column {
        /// What is not clear.
        what: String,
        /// The columns that there are.
        columns: String,
        /// The setting that makes it clear.
        fix: String,
    },
    /// A row cannot be read.
    #[error("row {row}: {reason}")]
    Row {
        /// The row's number from 1, without the header.
        row: u64,
        /// What is wrong with it.
        reason: RowFault,
    },
    /// There are more rows than there may be samples.
    #[error("it has more than {MAX_SAMPLES} rows")]
    TooManyRows,
    /// Two rows of one key say different things.
    #[error("rows {first} and {second} are both of {key:?} and do not say the same: leave one out")]
    Twice {
        /// The key.
        key: String,
        /// The number of the earlier row.
        first: u64,
        /// The number of the later row.
        second: u64,
    },
    /// The columns that are asked for cannot be fields.
    #[error(transparent)]
    Fields(#[from] FieldError),
    /// The values of a column are of different kinds.
    #[error("the values of column {0:?} are of several kinds, such as text and lists: make them of one kind")]
    Mixed(String),
    /// There are more distinct labels than there may be classes.
    #[error(
        "column {0:?} has more than {MAX_CLASSES} different values, too many to be classes: name the column of labels \
         with label=COLUMN, or ask for this one as a field with fields={0}"
    )]
    TooManyClasses(String),
    /// The labels are numbers, and not those of classes.
    #[error("label {label:?}: {reason}")]
    Number {
        /// The label.
        label: String,
        /// Why it is no class's number.
        reason: &'static str,
    },
    /// Few of the rows are of samples.
    #[error(
        "of its {rows} rows and the dataset's {samples} samples only {matched} have the same key: its keys are \
         {in_file}, the dataset's are {in_dataset}: write the keys as paths below the dataset's root, with or without \
         the suffix"
    )]
    Strange {
        /// The number of rows.
        rows: u64,
        /// The number of samples.
        samples: u64,
        /// The number of samples that have a row.
        matched: u64,
        /// Some keys of rows without a sample.
        in_file: String,
        /// Some keys of samples without a row.
        in_dataset: String,
    },
    /// A row without a suffix is of several samples.
    #[error(
        "the row of {row:?} could be of {sample:?} and of another photo of that name: write the suffix in the file"
    )]
    Ambiguous {
        /// The key in the file.
        row: String,
        /// One of the samples.
        sample: String,
    },
}

impl From<SampleFailure> for LabelsError {
    fn from(failure: SampleFailure) -> Self {
        Self::Parquet(failure)
    }
}

/// What is wrong with one row of a labels file.
#[derive(Debug, thiserror::Error)]
pub enum RowFault {
    /// The row is no row of the file's format.
    #[error("{0}")]
    Syntax(String),
    /// The row is not UTF-8.
    #[error("it is not UTF-8: convert the file, as with iconv -f latin1 -t utf-8")]
    NotUtf8,
    /// The row is too long.
    #[error("it is longer than {MAX_LABELS_ROW_BYTES} bytes: is a quote not closed?")]
    TooLong,
    /// The row has no key.
    #[error("it has no key")]
    NoKey,
    /// The label or a field has a value that it cannot have.
    #[error("column {column:?} has {what}")]
    Value {
        /// The column.
        column: String,
        /// What stands there.
        what: &'static str,
    },
    /// The row's fields are too long.
    #[error(transparent)]
    Record(#[from] RecordError),
}
