//! `Replaced`: in which samples' places a job gives others.

use headwater_types::Digest;
use headwater_wire::proto::{ReplacedAnswer, ReplacedRequest};
use headwater_wire::replaced::ReplacedReport;
use tonic::{Request, Status};

use super::desk::{Desk, OfDataset};

pub(super) fn replaced(desk: &Desk, request: Request<ReplacedRequest>) -> Result<ReplacedAnswer, Status> {
    let (offer, ReplacedReport { job, samples, .. }) = desk.check(request)?;
    offer.generation.pipeline.replaced(samples.len() as u64);
    offer.generation.packages.replaced(&job, &samples);
    Ok(ReplacedAnswer {})
}

// === impl ReplacedReport ===

impl OfDataset for ReplacedReport {
    fn dataset(&self) -> &str {
        &self.dataset
    }

    fn dataset_digest(&self) -> Option<Digest> {
        self.dataset_digest
    }
}
