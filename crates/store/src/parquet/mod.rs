//! A dataset in Parquet files: each row a photo.
//!
//! ```text
//! listing:  footers, columns of keys, labels and fields ─▶ Catalog: a row of a file for each sample
//! reading:  row ─▶ row group ─▶ page, by the file's index or by its pages' headers ─▶ memory of pages ─▶ value
//! ```
//!
//! A photo is a value of a binary column, and pages of such columns hold several: the page is fetched, unpacked and
//! held, so that neighbouring rows share it. Photos themselves are never read by a listing.
//!
//! # Why not the `parquet` crate?
//!
//! Other people's files are read in a process that must not fall. Of version 60 of the crate: schemas are followed by
//! recursion, and memory is taken for as many children as a footer names; gzip and brotli pages are unpacked to their
//! end whatever their headers say; and lengths in delta encodings become memory before they are compared with anything.
//! Stack overflows and failed allocations end a process and cannot be caught. What is needed here is one flat column:
//! it is read by the files beside this one, with every size checked before memory is taken. The crate writes the files
//! of their tests.

mod fault;
mod thrift;

mod codec;
mod delta;
mod hybrid;

mod schema;

mod chunk;
mod footer;
mod header;
mod huggingface;
mod layout;

mod columns;
mod spans;
mod values;

mod page;

mod file;
mod memory;

mod table;

mod small;

mod lists;

mod keys;
mod read;
mod rows;

mod whole;

mod labels;

mod probe;

mod list;

use async_trait::async_trait;
use bytes::Bytes;
use headwater_types::digest::Digester;
use headwater_types::{ByteCount, Digest, SampleFailure};

use self::read::Reader;
use self::table::Table;
use crate::catalog::Catalog;
use crate::error::StoreError;
use crate::extent::Extent;
use crate::kind::Kind;
use crate::location::Location;
use crate::options::StoreOptions;
use crate::shards::Shards;
use crate::store::Store;
use crate::waiting::Waiting;

pub(crate) use labels::read as read_labels;
pub use memory::PageMemory;
pub use probe::{count_label_rows, count_photos};
pub(crate) use whole::Whole;

/// Parquet files whose rows are photos.
pub(crate) struct Parquet {
    shards: Shards,
    options: StoreOptions,
    reader: Reader,
}

// === impl Parquet ===

impl Parquet {
    pub(crate) async fn open(location: &Location, options: &StoreOptions) -> Result<Self, StoreError> {
        Ok(Self::of(Shards::open(location, options).await?, options))
    }

    /// The dataset in these files.
    pub(crate) fn of(shards: Shards, options: &StoreOptions) -> Self {
        let (image, memory) = (options.dataset.image.clone(), options.page_memory.clone());
        let reader = Reader::new(shards.store().clone(), image, memory, options.max_object);
        Self { shards, options: options.clone(), reader }
    }
}

#[async_trait]
impl Store for Parquet {
    async fn list(&self, base: Option<&Catalog>) -> Result<Catalog, StoreError> {
        list::list(&self.shards, &self.options, base, |rows| {
            let table = Table::new(rows.file.clone(), rows.columns.image.clone(), rows.groups.clone());
            self.reader.keep(&rows.file.whole, table);
        })
        .await
    }

    fn place(&self) -> Digest {
        let place = self.shards.store().place();
        Digester::default().field(b"parquet").field(place.as_bytes()).finish()
    }

    fn source(&self) -> &'static str {
        Kind::Parquet.as_str()
    }

    async fn length(&self, extent: &Extent) -> Result<ByteCount, SampleFailure> {
        self.reader.length(extent).await
    }

    async fn read(&self, extent: &Extent) -> Result<Bytes, SampleFailure> {
        self.reader.read(extent).await
    }

    fn check(&self, extent: &Extent) -> Result<(), SampleFailure> {
        self.shards.store().check(extent)
    }

    fn check_now(&self, extent: &Extent) -> bool {
        self.shards.store().check_now(extent)
    }

    fn waiting(&self) -> Option<Waiting> {
        self.shards.store().waiting()
    }
}

#[cfg(test)]
mod tests;
