//! A sample's stored bytes: from the cache where they are there, and else from the store, which is asked once for all
//! who want them at the same time.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use headwater_cache::{Entry, EntryKey, Flight, KindName, Outcome, Source};
use headwater_store::Extent;
use headwater_types::{SampleFailure, SampleIndex, SampleKey};

use super::dataset::{DatasetCache, worth};
use crate::failure::lost;
use crate::pipeline::Pipeline;
use crate::underway::Underway;

/// A sample whose bytes are wanted.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) index: SampleIndex,
    pub(crate) key: &'a SampleKey,
    pub(crate) extent: &'a Extent,
    /// Whether the bytes are to be kept.
    pub(crate) keep: bool,
}

// === impl Pipeline ===

impl Pipeline {
    /// The bytes, and whether the store was read for them.
    pub(crate) async fn bytes(&self, asked: Asked<'_>) -> Result<(Bytes, bool), SampleFailure> {
        let Some(cache) = self.cache.as_ref().filter(|cache| cache.has_encoded()) else {
            return Ok((self.read_origin(asked).await?, true));
        };
        let key = cache.names.encoded(asked.key, asked.extent);
        let mut looked_again = false;
        loop {
            if let Some(bytes) = cache.find(key).await {
                self.check(asked.extent).await?;
                return Ok((bytes, false));
            }
            match cache.cache().flight(&key) {
                Flight::Follow(leader) => {
                    let began = Instant::now();
                    if let Some(Entry::Bytes(bytes)) = leader.await {
                        cache.cache().count(Outcome::Coalesced, KindName::Encoded, 1);
                        cache.cache().took(Source::Coalesced, began.elapsed());
                        return Ok((bytes, false));
                    }
                }
                // Whoever led before may have come to its end after the look above. An entry that is there and cannot
                // be read is looked for no third time.
                Flight::Lead(_) if !looked_again && cache.cache().find(&key).is_some() => looked_again = true,
                Flight::Lead(lead) => {
                    let bytes = self.read_origin(asked).await?;
                    if asked.keep {
                        self.keep_encoded(cache, key, asked.index, &bytes).await;
                    }
                    lead.land(Entry::Bytes(bytes.clone()));
                    return Ok((bytes, true));
                }
            }
        }
    }

    /// Looks whether a sample of which something was kept still is what was listed: what was made of a photo that is
    /// gone is not served in its stead.
    pub(crate) async fn check(&self, extent: &Extent) -> Result<(), SampleFailure> {
        if self.store.check_now(extent) {
            return Ok(());
        }
        let (store, extent) = (Arc::clone(&self.store), extent.clone());
        tokio::task::spawn_blocking(move || store.check(&extent)).await.map_err(|error| lost(&error))?
    }

    async fn read_origin(&self, asked: Asked<'_>) -> Result<Bytes, SampleFailure> {
        let began = Instant::now();
        let bytes = self.store.read(asked.extent).await?;
        if let Some(cache) = &self.cache {
            cache.cache().count(Outcome::Origin, KindName::Encoded, 1);
            cache.came(bytes.len(), began);
        }
        Ok(bytes)
    }

    /// The bytes of several samples of one object, and of what lies between them.
    pub(super) async fn read_package(&self, cache: &DatasetCache, whole: &Extent) -> Result<Bytes, SampleFailure> {
        let began = Instant::now();
        let bytes = self.store.read(whole).await?;
        cache.came(bytes.len(), began);
        Ok(bytes)
    }

    /// Keeps the stored bytes of a sample, of which nothing else could be made.
    pub(crate) async fn keep_stored(&self, sample: &Underway, bytes: &Bytes) {
        if let Some(cache) = &self.cache {
            let key = cache.names.encoded(&sample.key, &sample.extent);
            self.keep_encoded(cache, key, sample.index, bytes).await;
        }
    }

    pub(super) async fn keep_encoded(
        &self,
        cache: &Arc<DatasetCache>,
        key: EntryKey,
        index: SampleIndex,
        bytes: &Bytes,
    ) {
        let seconds = cache.costs.origin(bytes.len() as u64).unwrap_or_default();
        cache.keep(key, bytes.clone(), worth(self.outlook.as_ref(), index, seconds)).await;
    }
}
