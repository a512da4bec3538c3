//! Labels and fields from a file beside the photos: of a key, a label and other columns.
//!
//! ```text
//! file ─csv, json_lines, parquet::labels─▶ reading: columns by name ─▶ table: sorted by key ─▶ sheet ─▶ catalog
//!                                                                                            ▲
//!                                                                      each key of a listing ┘ asks for its row
//! ```
//!
//! Invariants: a file is read from front to end once, and its rows are held as columns of bytes and dropped with the
//! listing; a row that cannot be right refuses the file with its number; rows without a sample and samples without a
//! row are counted and named.

mod error;

mod columns;
mod kinds;
mod table;

mod reading;

mod csv;
mod json_lines;

mod format;

mod classes;
mod names;
mod sheet;

pub(crate) use columns::{Columns, Wanted};
pub use error::{LabelsError, RowFault};
pub(crate) use format::{Format, Lines};
pub(crate) use kinds::Writing;
pub(crate) use reading::{Read, Reading};
pub(crate) use sheet::Sheet;
pub use sheet::SheetSlot;

/// The number of rows of a labels file whose first column is the key and whose others are fields: what fuzzers ask.
///
/// # Errors
/// Bytes that are no such file. `suffix` is that of its name, such as `csv`.
pub fn count_rows(suffix: &str, bytes: &[u8]) -> Result<usize, LabelsError> {
    let wanted = Wanted { fields: vec!["*".to_owned()], ..Wanted::default() };
    match Format::of(suffix)? {
        Format::Lines(lines) => lines.read(bytes, &wanted).map(|read| read.len()),
        Format::Parquet => Err(LabelsError::Format),
    }
}
