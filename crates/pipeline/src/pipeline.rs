//! What all samples pass through on their way.

use std::sync::Arc;

use headwater_store::{Catalog, Store};
use headwater_types::ImageLimits;

use crate::cached::DatasetCache;
use crate::index::PhotoIndex;
use crate::outlook::Outlook;

/// A partition with its photo index, and the limits of its photos.
#[derive(Clone)]
pub struct Pipeline {
    /// Where the photos are.
    pub store: Arc<dyn Store>,
    /// The photos that the store had when it was listed.
    pub catalog: Arc<Catalog>,
    /// What is kept of samples; `None` where nothing is.
    pub cache: Option<Arc<DatasetCache>>,
    /// Photos that were re-written to be cropped without decoding, in that cache; `None` where none are kept.
    pub index: Option<Arc<PhotoIndex>>,
    /// What jobs have said of the samples' next uses; `None` where nobody asks.
    pub outlook: Option<Arc<dyn Outlook>>,
    /// Limits that hold before pixels.
    pub limits: ImageLimits,
}
