//! Where what is made of a sample by a recipe or a model is kept.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use headwater_cache::{EntryKey, Kind};
use headwater_types::ByteCount;

use super::dataset::{DatasetCache, worth};
use crate::outlook::Outlook;
use crate::underway::Underway;

/// The place of one sample's entry.
pub(crate) struct Place {
    cache: Arc<DatasetCache>,
    key: EntryKey,
    kind: Kind,
}

// === impl Place ===

impl Place {
    /// The place of a sample's entry of this kind, which has at most so many bytes.
    pub(crate) fn new(cache: &Arc<DatasetCache>, sample: &Underway, kind: Kind, most: ByteCount) -> Self {
        let key = cache.names.entry(kind, &sample.key, &sample.extent, most);
        Self { cache: Arc::clone(cache), key, kind }
    }

    /// What was kept there.
    pub(crate) async fn find(&self) -> Option<Bytes> {
        self.cache.find(self.key).await
    }

    /// Keeps what took so long to make of the sample's stored bytes.
    pub(crate) async fn keep(
        self,
        sample: &Underway,
        took: Duration,
        entry: Bytes,
        outlook: Option<&Arc<dyn Outlook>>,
    ) {
        let Self { cache, key, kind } = self;
        let stored = sample.extent.length().get();
        cache.costs.made(kind.name(), stored, took, entry.len());
        cache.remember(kind);
        let seconds = took.as_secs_f64() + cache.costs.origin(stored).unwrap_or_default();
        cache.keep(key, entry, worth(outlook, sample.index, seconds)).await;
    }
}
