//! A store around a store: photos as the rows of a table, whose listing only guesses at their sizes. It stands for
//! Parquet files, and proves that a catalog, a read and a check hold for rows as for files.

use std::fs;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use bytes::Bytes;
use headwater_types::{ByteCount, Digest, FailureKind, SampleFailure};
use tempfile::TempDir;

use super::{Photos, Source, rows_behave};
use crate::catalog::{Catalog, CatalogBuilder};
use crate::error::StoreError;
use crate::extent::Extent;
use crate::files::Files;
use crate::given::Given;
use crate::listed::listed;
use crate::location::Location;
use crate::open::open;
use crate::options::StoreOptions;
use crate::part::Part;
use crate::store::Store;

/// A key, a size and the bytes for each row, each number as text before a newline.
const TABLE: &str = "photos.table";

struct Table {
    /// Reads the file.
    files: Arc<dyn Store>,
    options: StoreOptions,
}

struct TableFolder(TempDir);

// === impl Table ===

impl Table {
    /// All keys and contents, read anew.
    async fn rows(&self, table: &Extent) -> Result<Vec<(String, Bytes)>, SampleFailure> {
        let mut bytes = self.files.read(&Extent::whole(table.object().clone(), table.listed())).await?;
        let mut rows = Vec::new();
        while !bytes.is_empty() {
            let mut line = || {
                let end = bytes.iter().position(|byte| *byte == b'\n').unwrap();
                let line = bytes.split_to(end + 1);
                std::str::from_utf8(&line[..end]).unwrap().to_owned()
            };
            let (key, size) = (line(), line().parse().unwrap());
            rows.push((key, bytes.split_to(size)));
        }
        Ok(rows)
    }

    async fn row(&self, extent: &Extent) -> Result<Bytes, SampleFailure> {
        let Part::Row { number, .. } = extent.place() else { return self.files.read(extent).await };
        Ok(self.rows(extent).await?.swap_remove(number as usize).1)
    }
}

#[async_trait]
impl Store for Table {
    async fn list(&self, base: Option<&Catalog>) -> Result<Catalog, StoreError> {
        let began = Instant::now();
        let files = self.files.list(None).await?;
        let table = files.extent(files.find(TABLE).unwrap()).unwrap();
        let mut found = CatalogBuilder::of(&self.options, base);
        for (number, (key, _)) in (0..).zip(self.rows(&table).await.unwrap()) {
            if !found.leaves_out(&key) {
                // No row has the size that is said of all.
                let row = Extent::row(table.object().clone(), table.listed(), number, ByteCount::new(3));
                found.push_labelled(&key, &row, Given::Nothing)?;
            }
        }
        listed(TABLE, found.finish(), &self.options, began.elapsed())
    }

    fn place(&self) -> Digest {
        self.files.place()
    }

    async fn length(&self, extent: &Extent) -> Result<ByteCount, SampleFailure> {
        Ok(self.row(extent).await?.len().into())
    }

    fn source(&self) -> &'static str {
        "parquet"
    }

    async fn read(&self, extent: &Extent) -> Result<Bytes, SampleFailure> {
        let row = self.row(extent).await?;
        if ByteCount::from(row.len()) > self.options.max_object {
            return Err(SampleFailure::new(FailureKind::LimitExceeded, "a row is too large"));
        }
        Ok(row)
    }

    fn check(&self, extent: &Extent) -> Result<(), SampleFailure> {
        self.files.check(extent)
    }

    fn check_now(&self, extent: &Extent) -> bool {
        self.files.check_now(extent)
    }
}

// === impl TableFolder ===

impl Source for TableFolder {
    const IS_FILE_BY_FILE: bool = false;

    async fn hold(&mut self, photos: &Photos) {
        let row =
            |(key, content): (&&str, &&[u8])| [format!("{key}\n{}\n", content.len()).as_bytes(), content].concat();
        fs::write(self.0.path().join(TABLE), photos.iter().flat_map(row).collect::<Vec<_>>()).unwrap();
    }

    async fn open(&self, options: StoreOptions) -> Arc<dyn Store> {
        let (files, fetched) = (Files::All, options.fetched.clone());
        let all = StoreOptions { files, fetched, ..StoreOptions::default() };
        let files = open(&Location::folder(self.0.path()), &all).await.unwrap();
        Arc::new(Table { files, options })
    }
}

#[tokio::test]
async fn photos_in_rows_of_a_table_behave_as_files_do() {
    rows_behave(TableFolder(TempDir::new().unwrap())).await;
}
