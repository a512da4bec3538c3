//! What was measured while an epoch was streamed.

use std::collections::BTreeMap;
use std::time::Duration;

use headwater_cli::Failures;
use headwater_client::{Dataset, Finished};
use headwater_types::{CpuSeconds, Digest, Way};

/// What was measured of an epoch.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    pub(crate) samples: u64,
    pub(crate) failures: Failures,
    pub(crate) batches: u64,
    pub(crate) wall: Duration,
    /// Payload bytes.
    pub(crate) payload: u64,
    /// Bytes that came over the wire.
    pub(crate) received: u64,
    /// CPU seconds of this process.
    pub(crate) here: f64,
    /// CPU seconds of this process that finished recipes.
    pub(crate) finishing: f64,
    /// CPU seconds of each server's CPU workers.
    pub(crate) there: Vec<f64>,
    /// The time for which the consumer held everything up.
    pub(crate) blocked: Duration,
    /// Samples and payload bytes by the way in which they came.
    pub(crate) ways: BTreeMap<Way, (u64, u64)>,
    /// The sum of the digests of all tensors, bit by bit and without carry: it is the same in any order.
    pub(crate) tensors: [u8; 32],
    /// Calls that were made anew by another plan.
    pub(crate) calls_replanned: u64,
    /// Calls whose samples a second server was asked for too, and those in which that was sooner.
    pub(crate) hedged: u64,
    pub(crate) hedges_won: u64,
}

/// One sample, finished, and what it took.
pub(crate) struct FinishedSample {
    pub(crate) finished: Finished,
    /// How it came; `None` where it failed.
    pub(crate) way: Option<Way>,
    /// Payload bytes.
    pub(crate) bytes: u64,
    /// CPU seconds at its server.
    pub(crate) there: CpuSeconds,
    /// CPU seconds that finished it here.
    pub(crate) here: CpuSeconds,
    /// The digest of its tensor, where digests were asked for.
    pub(crate) digest: Option<Digest>,
}

// === impl Measured ===

impl Measured {
    /// Nothing yet, of this dataset.
    pub(crate) fn of(dataset: &Dataset) -> Self {
        Self { there: vec![0.0; dataset.partitions().len()], ..Self::default() }
    }

    /// Counts one sample.
    pub(crate) fn count(&mut self, dataset: &Dataset, sample: &FinishedSample) {
        self.samples += 1;
        if let Err(failure) = &sample.finished.outcome {
            let key = sample.finished.key.as_ref().map(|key| key.as_str());
            self.failures.add(failure.kind, sample.finished.index, key);
        }
        self.payload += sample.bytes;
        self.finishing += sample.here.0;
        let server = dataset.partitions().partition_point(|partition| partition.end() <= sample.finished.index.0);
        if let Some(there) = self.there.get_mut(server) {
            *there += sample.there.0;
        }
        if let Some(way) = sample.way {
            let (samples, bytes) = self.ways.entry(way).or_default();
            (*samples, *bytes) = (*samples + 1, *bytes + sample.bytes);
        }
        for (sum, byte) in self.tensors.iter_mut().zip(sample.digest.iter().flat_map(|digest| digest.as_bytes())) {
            *sum ^= byte;
        }
    }
}
