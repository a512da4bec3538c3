//! What all samples pass through on their way.

use std::sync::Arc;

use headwater_store::{Catalog, Store};
use headwater_types::{ImageLimits, SampleIndex};

use crate::index::{Lookup, PhotoIndex};

/// A partition with its photo index, and the limits of its photos.
pub struct Pipeline {
    /// Where the photos are.
    pub store: Arc<dyn Store>,
    /// The photos that the store had when it was listed.
    pub catalog: Arc<Catalog>,
    /// Photos that were re-written to be cropped without decoding; `None` where that is switched off.
    pub index: Option<Arc<PhotoIndex>>,
    /// Limits that hold before pixels.
    pub limits: ImageLimits,
}

// === impl Pipeline ===

impl Pipeline {
    /// Whether something of this sample is in the cache. Waits for disks.
    pub fn is_cached(&self, index: SampleIndex) -> bool {
        let Some(photos) = &self.index else { return false };
        let (Some(key), Some(extent)) = (self.catalog.key(index), self.catalog.extent(index)) else { return false };
        matches!(photos.find(&key, &extent), Lookup::Found(_))
    }
}
