//! A whole file in memory, listed and read row by row: what this kind of store makes of outside bytes.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use headwater_types::{ByteCount, Digest, FailureKind, SampleFailure};

use super::file::File;
use super::memory::PageMemory;
use super::rows::{Refused, Rows};
use super::table::Table;
use crate::catalog::Catalog;
use crate::error::StoreError;
use crate::extent::Extent;
use crate::spec::DatasetOptions;
use crate::store::Store;
use crate::version::Version;

/// How many rows are read.
const MOST_ROWS: u64 = 4096;
const MEMORY: ByteCount = ByteCount::mebibytes(16);

/// One file.
struct Whole(Bytes);

/// The number of photos among the first rows of a Parquet file, for those who test with any bytes.
///
/// # Errors
/// The reason for which the file is none that is served.
pub fn count_photos(file: &Bytes) -> Result<usize, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(|error| error.to_string())?;
    let photos = runtime.block_on(photos(file, &DatasetOptions::default()))?;
    Ok(photos.iter().flatten().count())
}

/// The photos of the first rows, or why each could not be read.
pub(super) async fn photos(
    file: &Bytes,
    options: &DatasetOptions,
) -> Result<Vec<Result<Bytes, SampleFailure>>, String> {
    let store: Arc<dyn Store> = Arc::new(Whole(file.clone()));
    let object = "file.parquet".parse().map_err(|_| "the name is no key".to_owned())?;
    let whole = Extent::whole(object, Version::of_object(file.len() as u64, "probe"));
    let rows = Rows::read(File::new(&store, whole), options).await.map_err(|refused| match refused {
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

#[async_trait]
impl Store for Whole {
    async fn list(&self, _: Option<&Catalog>) -> Result<Catalog, StoreError> {
        Err(StoreError::Interrupted { reason: "one file has no list".to_owned() })
    }

    fn place(&self) -> Digest {
        Digest::of(&self.0)
    }

    fn source(&self) -> &'static str {
        "parquet"
    }

    async fn read(&self, extent: &Extent) -> Result<Bytes, SampleFailure> {
        let range = extent.range().unwrap_or_default();
        let range = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
        let range = range.filter(|(start, end)| start <= end && *end <= self.0.len());
        let outside = || SampleFailure::new(FailureKind::OutOfRange, "outside the file");
        range.map(|(start, end)| self.0.slice(start..end)).ok_or_else(outside)
    }

    fn check(&self, _: &Extent) -> Result<(), SampleFailure> {
        Ok(())
    }

    fn check_now(&self, _: &Extent) -> bool {
        true
    }
}
