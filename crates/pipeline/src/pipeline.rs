//! What all samples pass through on their way.

use std::sync::Arc;

use headwater_store::{Catalog, Store};
use headwater_types::ImageLimits;

use crate::index::PhotoIndex;

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
