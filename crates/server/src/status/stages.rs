//! Where samples spend their time, and the memory that they share.

use headwater_pipeline::Resources;
use serde::Serialize;

use crate::metrics::StageTotal;

/// A stage of the way of samples.
#[derive(Debug, Serialize)]
pub(super) struct StageStatus {
    /// `queue` (for memory, a CPU worker or a place in a batch), `fetch` (the store), `decode` and `transform` (the
    /// CPU), `infer` (the model) or `send` (until the network has taken the sample)
    stage: &'static str,
    /// Samples that have passed it
    samples: u64,
    /// Seconds that they spent there, all together
    seconds: f64,
}

/// Memory of samples in flight.
#[derive(Debug, Serialize)]
pub(super) struct MemoryStatus {
    /// Bytes that samples hold
    used_bytes: u64,
    /// Most bytes that they may hold: `--memory`
    limit_bytes: u64,
    /// Whether samples wait for more
    is_short: bool,
}

// === impl StageStatus ===

impl StageStatus {
    pub(super) fn of(total: StageTotal) -> Self {
        let StageTotal { stage, samples, time } = total;
        Self { stage, samples, seconds: time.as_secs_f64() }
    }
}

// === impl MemoryStatus ===

impl MemoryStatus {
    pub(super) fn of(resources: &Resources) -> Self {
        Self {
            used_bytes: resources.memory_in_use().get(),
            limit_bytes: resources.memory().get(),
            is_short: resources.shortage().is_some(),
        }
    }
}
