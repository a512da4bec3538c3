//! A photo that is in memory, as a dataset of one: so that it takes the way of every photo before it has a place.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use headwater_types::{Digest, Partition, SampleFailure, SampleKey};

use crate::catalog::{Catalog, CatalogBuilder};
use crate::error::StoreError;
use crate::extent::Extent;
use crate::files::Files;
use crate::store::Store;
use crate::version::Version;

/// A store of one photo, which has the place of the dataset that the photo is for: what is kept of it is what will be
/// looked for.
pub struct InHand {
    place: Digest,
    key: SampleKey,
    version: Version,
    bytes: Bytes,
}

// === impl InHand ===

impl InHand {
    /// The photo with these bytes, as it will be under this key of this store, and its catalog.
    ///
    /// # Errors
    /// None that one photo could bring about.
    pub fn open(
        of: &dyn Store,
        (key, version): (SampleKey, Version),
        bytes: Bytes,
    ) -> Result<(Arc<dyn Store>, Catalog), StoreError> {
        let in_hand = Self { place: of.place(), key, version, bytes };
        let catalog = in_hand.catalog()?;
        Ok((Arc::new(in_hand), catalog))
    }

    fn catalog(&self) -> Result<Catalog, StoreError> {
        let mut found = CatalogBuilder::new(Partition::ALL, Files::All);
        found.push(self.key.as_str(), self.version)?;
        Ok(found.finish())
    }
}

#[async_trait]
impl Store for InHand {
    async fn list(&self, _: Option<&Catalog>) -> Result<Catalog, StoreError> {
        self.catalog()
    }

    fn place(&self) -> Digest {
        self.place
    }

    fn source(&self) -> &'static str {
        "in-hand"
    }

    async fn read(&self, _: &Extent) -> Result<Bytes, SampleFailure> {
        Ok(self.bytes.clone())
    }

    fn check(&self, _: &Extent) -> Result<(), SampleFailure> {
        Ok(())
    }

    fn check_now(&self, _: &Extent) -> bool {
        true
    }
}
