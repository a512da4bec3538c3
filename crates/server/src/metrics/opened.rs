//! The dataset that metrics tell of, once it is open. Before that they have no values.

use std::sync::{Arc, OnceLock};

use headwater_features::Extractor;
use headwater_pipeline::PhotoIndex;
use headwater_store::Catalog;
use headwater_types::DatasetName;

use crate::importance::Importance;

/// A dataset and what it is served with.
#[derive(Debug)]
pub(crate) struct Opened {
    /// What clients call the dataset.
    pub(crate) dataset: DatasetName,
    /// The photos of the dataset.
    pub(crate) catalog: Arc<Catalog>,
    /// The photo index, where there is one.
    pub(crate) index: Option<Arc<PhotoIndex>>,
    /// The losses that were reported.
    pub(crate) importance: Arc<Importance>,
    /// The registered models.
    pub(crate) models: Vec<Arc<Extractor>>,
}

/// The dataset; nothing before it is open.
pub(super) type Later = Arc<OnceLock<Opened>>;
