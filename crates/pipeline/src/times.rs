//! Where a sample's time went.

use std::time::Duration;

/// Wall time of each stage of one sample; zero for a stage that it did not go through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StageTimes {
    /// Waiting: for memory, for a CPU worker, for a place in a batch.
    pub queue: Duration,
    /// Reading from the store.
    pub fetch: Duration,
    /// Encoded bytes to RGB.
    pub decode: Duration,
    /// Crop, resize, flip, to-tensor, normalise.
    pub transform: Duration,
    /// The model's run, of the whole batch in which the sample was.
    pub infer: Duration,
}
