//! `List`: keys, labels and sizes of samples, from the catalog, a batch at a time as the reader takes them.

use std::ops::Range;
use std::sync::Arc;

use futures::{StreamExt, stream};
use headwater_types::{Digest, SampleIndex};
use headwater_wire::status::Invalid;
use headwater_wire::{List, proto};
use tonic::{Request, Status};

use crate::generation::Generation;

use super::desk::{Admitted, Desk, OfDataset};

/// Most samples of one batch, which is then made in some tenths of a millisecond and has some 100 kB.
const SAMPLES_PER_BATCH: u64 = 2048;
/// Key bytes after which a batch is closed: keys may have a kilobyte each.
const KEY_BYTES_PER_BATCH: usize = 256 << 10;

/// The messages of a listing.
pub(super) type ListBatches = stream::BoxStream<'static, Result<proto::ListBatch, Status>>;

pub(super) fn list(desk: &Desk, request: Request<proto::ListRequest>) -> Result<ListBatches, Status> {
    let Admitted { offer, request: list, .. } = desk.admit::<_, List>(request)?;
    let (end, samples) = (list.first.saturating_add(list.count as u64), offer.generation.catalog().len());
    if end > samples as u64 {
        let message = format!("samples up to {end} were asked for, and the partition has {samples}");
        return Err(desk.refuse(Invalid::new(message)));
    }
    let place = offer.house.place().map_err(|refusal| desk.refuse(refusal))?;
    tracing::debug!(first = list.first, samples = list.count, "list");
    let start = (Arc::clone(&offer.generation), list.first..end, place);
    let messages = stream::unfold(start, |(generation, mut rest, place)| async move {
        let batch = next(&generation, &mut rest)?;
        Some((Ok(batch), (generation, rest, place)))
    });
    Ok(messages.boxed())
}

/// The next batch of the rest; `None` at the end.
fn next(generation: &Generation, rest: &mut Range<u64>) -> Option<proto::ListBatch> {
    if rest.is_empty() {
        return None;
    }
    let mut batch = proto::ListBatch { first: rest.start, ..proto::ListBatch::default() };
    let mut bytes = 0;
    let end = rest.end.min(rest.start.saturating_add(SAMPLES_PER_BATCH));
    while rest.start < end && bytes < KEY_BYTES_PER_BATCH {
        let entry = generation.catalog().get(SampleIndex(rest.start))?;
        bytes += entry.key.len();
        batch.keys.push(entry.key.to_owned());
        batch.labels.push(entry.label.map_or(0, |label| label.0 + 1));
        batch.stored_bytes.push(entry.version.size().get());
        rest.start += 1;
    }
    Some(batch)
}

// === impl List ===

impl OfDataset for List {
    fn dataset(&self) -> &str {
        &self.dataset
    }

    fn dataset_digest(&self) -> Option<Digest> {
        self.dataset_digest
    }
}
