//! `Differences`: what differs between two generations of a dataset.

use futures::{StreamExt, stream};
use headwater_types::{Differences, Digest};
use headwater_wire::status::Refusal;
use headwater_wire::{Compare, differences, proto};
use tonic::{Request, Status};

use super::desk::{Admitted, Desk, OfDataset};

/// The messages of differences.
pub(super) type DifferencesBatches = stream::BoxStream<'static, Result<proto::DifferencesBatch, Status>>;

pub(super) fn differences(
    desk: &Desk,
    request: Request<proto::DifferencesRequest>,
) -> Result<DifferencesBatches, Status> {
    let Admitted { offer, request: compare, .. } = desk.admit::<_, Compare>(request)?;
    let current = offer.generation.digest();
    if compare.from != current {
        return Err(desk.refuse(Refusal::Changed { what: "dataset" }));
    }
    // A generation differs in nothing from itself.
    let batches: Vec<_> = differences::batches(&Differences::default(), current).map(Ok).collect();
    Ok(stream::iter(batches).boxed())
}

// === impl Compare ===

impl OfDataset for Compare {
    fn dataset(&self) -> &str {
        &self.dataset
    }

    fn dataset_digest(&self) -> Option<Digest> {
        self.to
    }
}
