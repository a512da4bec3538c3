//! One list stream: keys, labels and sizes out of the catalog, a batch at a time as its reader takes them.

use std::ops::Range;
use std::sync::Arc;

use futures::{StreamExt, stream};
use headwater_types::SampleIndex;
use headwater_wire::{List, proto};
use tokio::sync::OwnedSemaphorePermit;
use tonic::Status;

use crate::service::Shared;

/// Samples of one batch: made in some tenths of a millisecond, of some 100 kB.
const SAMPLES_PER_BATCH: u64 = 2048;
/// Key bytes after which a batch is closed: keys may have a kilobyte each.
const KEY_BYTES_PER_BATCH: usize = 256 << 10;

/// What a client reads.
pub(crate) type Lists = stream::BoxStream<'static, Result<proto::ListBatch, Status>>;

/// A stream over samples that are there.
pub(crate) fn start(shared: Arc<Shared>, list: &List, permit: OwnedSemaphorePermit) -> Lists {
    let rest = list.first..list.first + list.count as u64;
    stream::unfold((shared, rest, permit), |(shared, mut rest, permit)| async move {
        let batch = next(&shared, &mut rest)?;
        Some((Ok(batch), (shared, rest, permit)))
    })
    .boxed()
}

/// The next batch of what is left; `None` at the end.
fn next(shared: &Shared, rest: &mut Range<u64>) -> Option<proto::ListBatch> {
    if rest.is_empty() {
        return None;
    }
    let mut batch = proto::ListBatch { first: rest.start, ..proto::ListBatch::default() };
    let mut bytes = 0;
    let end = rest.end.min(rest.start.saturating_add(SAMPLES_PER_BATCH));
    while rest.start < end && bytes < KEY_BYTES_PER_BATCH {
        let entry = shared.pipeline.catalog.get(SampleIndex(rest.start))?;
        bytes += entry.key.len();
        batch.keys.push(entry.key.to_owned());
        batch.labels.push(entry.label.map_or(0, |label| label.0 + 1));
        batch.stored_bytes.push(entry.version.size().get());
        rest.start += 1;
    }
    Some(batch)
}
