//! A store around a store: photos in one file, and their places in another. It stands for archives, whose samples are
//! parts of objects, and proves that a catalog, a read and a check hold for them as for files.

use std::fmt::Write as _;
use std::fs;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use bytes::Bytes;
use headwater_types::{Digest, SampleFailure};
use tempfile::TempDir;

use super::{Photos, Source, store_behaves};
use crate::catalog::{Catalog, CatalogBuilder};
use crate::error::StoreError;
use crate::extent::Extent;
use crate::files::Files;
use crate::listed::listed;
use crate::location::Location;
use crate::open::open;
use crate::options::StoreOptions;
use crate::store::Store;

/// What holds the photos, one after the other.
const ARCHIVE: &str = "photos.archive";
/// A line `START END KEY` for each photo.
const INDEX: &str = "photos.index";

struct Archive {
    /// Reads the two files.
    files: Arc<dyn Store>,
    options: StoreOptions,
}

struct ArchiveFolder(TempDir);

// === impl Archive ===

#[async_trait]
impl Store for Archive {
    async fn list(&self, base: Option<&Catalog>) -> Result<Catalog, StoreError> {
        let began = Instant::now();
        let files = self.files.list(None).await?;
        let file = |name| files.extent(files.find(name).unwrap()).unwrap();
        let (archive, index) = (file(ARCHIVE), self.files.read(&file(INDEX)).await.unwrap());
        let mut found = CatalogBuilder::of(&self.options, base);
        for line in std::str::from_utf8(&index).unwrap().lines() {
            let (start, rest) = line.split_once(' ').unwrap();
            let (end, key) = rest.split_once(' ').unwrap();
            let range = start.parse().unwrap()..end.parse().unwrap();
            found.push_at(key, &Extent::part(archive.object().clone(), archive.listed(), range).unwrap())?;
        }
        listed(ARCHIVE, found.finish(), &self.options, began.elapsed())
    }

    fn place(&self) -> Digest {
        self.files.place()
    }

    fn source(&self) -> &'static str {
        "archive"
    }

    async fn read(&self, extent: &Extent) -> Result<Bytes, SampleFailure> {
        extent.check_length(self.options.max_object)?;
        self.files.read(extent).await
    }

    fn check(&self, extent: &Extent) -> Result<(), SampleFailure> {
        self.files.check(extent)
    }

    fn check_now(&self, extent: &Extent) -> bool {
        self.files.check_now(extent)
    }
}

// === impl ArchiveFolder ===

impl Source for ArchiveFolder {
    const IS_FILE_BY_FILE: bool = false;

    async fn hold(&mut self, photos: &Photos) {
        let (mut archive, mut index) = (b"head".to_vec(), String::new());
        for (key, content) in photos {
            writeln!(index, "{} {} {key}", archive.len(), archive.len() + content.len()).unwrap();
            archive.extend_from_slice(content);
        }
        fs::write(self.0.path().join(ARCHIVE), archive).unwrap();
        fs::write(self.0.path().join(INDEX), index).unwrap();
    }

    async fn open(&self, options: StoreOptions) -> Arc<dyn Store> {
        let (files, fetched) = (Files::All, options.fetched.clone());
        let all = StoreOptions { files, fetched, ..StoreOptions::default() };
        let files = open(&Location::folder(self.0.path()), &all).await.unwrap();
        Arc::new(Archive { files, options })
    }
}

#[tokio::test]
async fn photos_within_one_file_behave_as_files_do() {
    store_behaves(ArchiveFolder(TempDir::new().unwrap())).await;
}
