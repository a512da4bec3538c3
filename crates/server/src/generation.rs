//! A generation of a dataset: what one listing has found, and what samples of it pass through.

use headwater_pipeline::Pipeline;
use headwater_store::Catalog;
use headwater_types::Digest;

use crate::jobs::Jobs;

/// What a dataset was when it was listed.
pub(crate) struct Generation {
    /// Counts from 1 at the server's start.
    pub(crate) number: u64,
    pub(crate) pipeline: Pipeline,
    pub(crate) jobs: Jobs,
}

// === impl Generation ===

impl Generation {
    /// A generation that no job reads yet.
    pub(crate) fn new(number: u64, pipeline: Pipeline) -> Self {
        Self { number, jobs: Jobs::new(pipeline.catalog.len()), pipeline }
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        &self.pipeline.catalog
    }

    /// What clients know the generation by.
    pub(crate) fn digest(&self) -> Digest {
        self.catalog().digest()
    }
}
