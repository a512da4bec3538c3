//! Rows of a file in memory, read one by one: what this kind of store makes of outside bytes.

use bytes::Bytes;
use headwater_types::{ByteCount, FailureKind, SampleFailure};

use super::labels;
use super::memory::PageMemory;
use super::rows::{Refused, Rows};
use super::table::Table;
use super::whole::Whole;
use crate::labels::{LabelsError, Wanted};
use crate::spec::DatasetOptions;

/// How many rows are read.
const MOST_ROWS: u64 = 4096;
const MEMORY: ByteCount = ByteCount::mebibytes(16);

/// The number of photos among the first rows of a Parquet file, for those who test with any bytes.
///
/// # Errors
/// The reason for which the file is none that is served.
pub fn count_photos(file: &Bytes) -> Result<usize, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(|error| error.to_string())?;
    let photos = runtime.block_on(photos(file, &DatasetOptions::default()))?;
    Ok(photos.iter().flatten().count())
}

/// The number of rows of a labels file in Parquet whose columns are all fields, for those who test with any bytes.
///
/// # Errors
/// The reason for which the file labels nothing.
pub fn count_label_rows(file: &Bytes) -> Result<usize, LabelsError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(|error| LabelsError::Io(error.to_string()))?;
    let wanted = Wanted { fields: vec!["*".to_owned()], ..Wanted::default() };
    runtime.block_on(labels::read(Whole::Held(file.clone()), &wanted)).map(|read| read.len())
}

/// The photos of the first rows, or why each could not be read.
pub(super) async fn photos(
    file: &Bytes,
    options: &DatasetOptions,
) -> Result<Vec<Result<Bytes, SampleFailure>>, String> {
    let file = Whole::Held(file.clone()).file().map_err(|failure| failure.to_string())?;
    let rows = Rows::read(file, options).await.map_err(|refused| match refused {
        Refused::File(failure) => failure.to_string(),
        Refused::Table(reason) => reason,
    })?;
    let count: u64 = rows.groups.iter().map(|group| group.rows).sum();
    let table = Table::new(rows.file, rows.columns.image, rows.groups);
    let memory = PageMemory::new(MEMORY);
    let mut photos = Vec::new();
    for row in 0..count.min(MOST_ROWS) {
        photos.push(photo(&table, row, &memory).await);
    }
    Ok(photos)
}

async fn photo(table: &Table, row: u64, memory: &PageMemory) -> Result<Bytes, SampleFailure> {
    let (page, at) = table.page(row, memory).await?;
    let null = || SampleFailure::new(FailureKind::Malformed, "the value is null");
    page.cells.bytes(at).map(Bytes::copy_from_slice).ok_or_else(null)
}
