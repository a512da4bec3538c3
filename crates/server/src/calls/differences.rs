//! `Differences`: what differs between two generations of a dataset.

use futures::{StreamExt, stream};
use headwater_store::Step;
use headwater_types::{Differences, Digest};
use headwater_wire::{Compare, differences, proto};
use tonic::{Request, Status};

use super::desk::{Desk, OfDataset};

/// The messages of differences.
pub(super) type DifferencesBatches = stream::BoxStream<'static, Result<proto::DifferencesBatch, Status>>;

pub(super) async fn differences(
    desk: &Desk,
    request: Request<proto::DifferencesRequest>,
) -> Result<DifferencesBatches, Status> {
    let compare = Compare::try_from(request.into_inner()).map_err(|invalid| desk.refuse(invalid))?;
    let current = desk.offer(compare.dataset(), None)?;
    let to = compare.to.unwrap_or_else(|| current.generation.digest());
    let found = match compare.from == to && current.served.generation(Some(to)).is_ok() {
        // A generation differs in nothing from itself.
        true => Differences::default(),
        false => {
            let steps = current.served.steps(compare.from, to).map_err(|refusal| desk.refuse(refusal))?;
            // Millions of samples that changed take seconds.
            let composed = tokio::task::spawn_blocking(move || Step::compose(&steps)).await;
            composed.map_err(|error| Status::internal(error.to_string()))?
        }
    };
    let batches: Vec<_> = differences::batches(&found, to).map(Ok).collect();
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
