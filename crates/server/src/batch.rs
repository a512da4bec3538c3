//! Samples gathered into batches: bounded in bytes, and never held back for long.

use std::time::Duration;

use futures::{Stream, StreamExt};
use headwater_image::Parts;
use headwater_pipeline::{Finished, Permit, Prepared};
use headwater_types::ByteCount;
use headwater_wire::{Delivered, Delivery, proto};
use tokio::time::{Instant, timeout_at};

/// How long a sample may wait for company while others of its stream are on their way. Each message costs both ends some
/// system calls and wake-ups: at 400 features a second, 4 ms gave every sample a message of its own.
const LINGER: Duration = Duration::from_millis(20);
/// Most samples of a batch; with features of 5 kB this is a batch's bytes.
const MOST: usize = 1024;

/// Samples that travel in one message, with the memory in which they lie.
pub(crate) struct Batch {
    samples: Vec<proto::Sample>,
    bytes: u64,
    permits: Vec<Permit>,
}

// === impl Batch ===

impl Batch {
    /// The next batch of samples, each with its place in the request; `None` at the stream's end.
    pub(crate) async fn gather(
        samples: &mut (impl Stream<Item = (u32, Prepared)> + Unpin),
        most: ByteCount,
    ) -> Option<Self> {
        let mut batch = Self { samples: Vec::new(), bytes: 0, permits: Vec::new() };
        batch.push(samples.next().await?);
        let close = Instant::now() + LINGER;
        while batch.bytes < most.get() && batch.samples.len() < MOST {
            match timeout_at(close, samples.next()).await {
                Ok(Some(sample)) => batch.push(sample),
                Ok(None) | Err(_) => break,
            }
        }
        Some(batch)
    }

    fn push(&mut self, (position, sample): (u32, Prepared)) {
        let outcome = sample.outcome.map(|Finished { parts, permit }| {
            self.bytes += parts.bytes.len() as u64;
            self.permits.push(permit);
            let Parts { cut, dtype, shape, coding, source, origin, bytes: payload } = parts;
            Delivered { cut, dtype, shape, coding, payload, source, origin }
        });
        let Prepared { index, key, label, times, .. } = sample;
        let delivery = Delivery { index, position: Some(position), key, label, cpu: times.cpu, outcome };
        self.samples.push(delivery.into());
    }

    /// How many samples.
    pub(crate) fn len(&self) -> usize {
        self.samples.len()
    }

    /// The message. From here on the bytes are the network's, whose windows bound them.
    pub(crate) fn into_message(self) -> proto::FetchBatch {
        proto::FetchBatch { samples: self.samples }
    }
}
