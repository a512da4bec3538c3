//! `Cached`: which samples are in the server's cache.

use headwater_types::Digest;
use headwater_wire::cached::{CachedQuery, to_bits};
use headwater_wire::proto::{CachedAnswer, CachedRequest};
use tonic::{Request, Status};

use super::desk::{Desk, OfDataset};

pub(super) async fn cached(desk: &Desk, request: Request<CachedRequest>) -> Result<CachedAnswer, Status> {
    let (offer, query): (_, CachedQuery) = desk.check(request)?;
    // A million samples take a tenth of a second.
    let look = move || to_bits(query.samples.iter().map(|index| offer.generation.pipeline.is_cached(index)));
    let cached = tokio::task::spawn_blocking(look).await.map_err(|error| Status::internal(error.to_string()))?;
    Ok(CachedAnswer { cached: cached.into() })
}

// === impl CachedQuery ===

impl OfDataset for CachedQuery {
    fn dataset(&self) -> &str {
        &self.dataset
    }

    fn dataset_digest(&self) -> Option<Digest> {
        self.dataset_digest
    }
}
