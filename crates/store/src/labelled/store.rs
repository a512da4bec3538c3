//! A dataset whose labels and fields are in a file of their own, whatever keeps its photos.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use headwater_types::{ByteCount, Digest, SampleFailure};

use super::file;
use crate::catalog::Catalog;
use crate::error::StoreError;
use crate::extent::Extent;
use crate::labels::{LabelsError, Sheet, SheetSlot, Wanted};
use crate::options::{S3Options, StoreOptions};
use crate::site::Site;
use crate::store::Store;
use crate::waiting::Waiting;

/// A store around the store of the photos, that reads the labels file before each listing.
pub(crate) struct Labelled {
    inner: Arc<dyn Store>,
    file: Site,
    wanted: Wanted,
    s3: S3Options,
    /// What the inner store's catalogs are labelled from.
    slot: SheetSlot,
    /// One listing at a time: they share the slot.
    listing: tokio::sync::Mutex<()>,
}

// === impl Labelled ===

impl Labelled {
    /// A store that was opened with these options, with labels from this file.
    pub(crate) fn new(inner: Arc<dyn Store>, file: Site, options: &StoreOptions) -> Self {
        let dataset = &options.dataset;
        let wanted = Wanted { key: dataset.key.clone(), label: dataset.label.clone(), fields: dataset.fields.clone() };
        let (s3, slot) = (options.s3.clone(), options.sheet.clone());
        Self { inner, file, wanted, s3, slot, listing: tokio::sync::Mutex::default() }
    }

    fn error(&self, reason: &LabelsError) -> StoreError {
        StoreError::Labels { file: self.file.to_string(), reason: reason.to_string() }
    }
}

#[async_trait]
impl Store for Labelled {
    async fn list(&self, base: Option<&Catalog>) -> Result<Catalog, StoreError> {
        let _alone = self.listing.lock().await;
        let mut read = file::read(&self.file, &self.s3, &self.wanted).await.map_err(|error| self.error(&error))?;
        let unused = std::mem::take(&mut read.unused);
        let sheet = Arc::new(Sheet::new(read).map_err(|error| self.error(&error))?);
        self.slot.set(Some(Arc::clone(&sheet)));
        let listed = self.inner.list(base).await;
        self.slot.set(None);
        let catalog = listed?;
        let samples = catalog.listing().samples;
        sheet.judge(&self.file.to_string(), samples, &unused).map_err(|error| self.error(&error))?;
        Ok(catalog)
    }

    fn place(&self) -> Digest {
        self.inner.place()
    }

    fn source(&self) -> &'static str {
        self.inner.source()
    }

    async fn length(&self, extent: &Extent) -> Result<ByteCount, SampleFailure> {
        self.inner.length(extent).await
    }

    async fn read(&self, extent: &Extent) -> Result<Bytes, SampleFailure> {
        self.inner.read(extent).await
    }

    fn check(&self, extent: &Extent) -> Result<(), SampleFailure> {
        self.inner.check(extent)
    }

    fn check_now(&self, extent: &Extent) -> bool {
        self.inner.check_now(extent)
    }

    fn waiting(&self) -> Option<Waiting> {
        self.inner.waiting()
    }
}
