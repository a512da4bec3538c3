//! A generation of a dataset: what one listing has found, and what samples of it pass through.

use std::sync::Arc;

use headwater_pipeline::{Outlook, Pipeline};
use headwater_store::Catalog;
use headwater_types::Digest;

use crate::jobs::Jobs;
use crate::packages::Packages;

/// What a dataset was when it was listed.
pub(crate) struct Generation {
    /// Counts from 1 at the server's start.
    pub(crate) number: u64,
    pub(crate) pipeline: Pipeline,
    pub(crate) jobs: Arc<Jobs>,
    pub(crate) packages: Packages,
}

// === impl Generation ===

impl Generation {
    /// A generation that no job reads yet. What jobs will say of its samples is what its pipeline keeps them by.
    pub(crate) fn new(number: u64, pipeline: Pipeline) -> Self {
        let jobs = Arc::new(Jobs::new(pipeline.catalog.len()));
        let outlook: Arc<dyn Outlook> = Arc::<Jobs>::clone(&jobs);
        let packages = Packages::default();
        Self { number, pipeline: Pipeline { outlook: Some(outlook), ..pipeline }, jobs, packages }
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        &self.pipeline.catalog
    }

    /// What clients know the generation by.
    pub(crate) fn digest(&self) -> Digest {
        self.catalog().digest()
    }
}
