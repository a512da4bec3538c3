//! `Low`: which samples are of low importance to a job.

use headwater_types::Digest;
use headwater_wire::cached::to_bits;
use headwater_wire::low::LowQuery;
use headwater_wire::proto::{LowAnswer, LowRequest};
use tonic::{Request, Status};

use super::desk::{Desk, OfDataset};

pub(super) async fn low(desk: &Desk, request: Request<LowRequest>) -> Result<LowAnswer, Status> {
    let (offer, LowQuery { job, share, samples, .. }) = desk.check(request)?;
    let look = move || {
        let found = offer.generation.jobs.classify(&job, share);
        let low = found.as_ref().map(|(_, low)| low);
        let flags = samples.iter().map(|index| low.is_some_and(|low| low.has(index.0)));
        (found.as_ref().map_or(0, |(known, _)| *known), to_bits(flags))
    };
    let (known, low) = tokio::task::spawn_blocking(look).await.map_err(|error| Status::internal(error.to_string()))?;
    Ok(LowAnswer { low: low.into(), known })
}

// === impl LowQuery ===

impl OfDataset for LowQuery {
    fn dataset(&self) -> &str {
        &self.dataset
    }

    fn dataset_digest(&self) -> Option<Digest> {
        self.dataset_digest
    }
}
