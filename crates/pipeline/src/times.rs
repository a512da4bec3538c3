//! Where a sample's time went.

use std::time::{Duration, Instant};

use headwater_types::CpuSeconds;

/// Wall time of each stage of one sample; zero for a stage that it did not go through.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
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
    /// CPU time of the CPU workers and of the model's workers, beside the wall times; `None` unless it was asked for.
    pub cpu: Option<CpuSeconds>,
}

/// Adds the time that this takes to `stage`.
pub(crate) async fn timed<T>(stage: &mut Duration, work: impl Future<Output = T>) -> T {
    let started = Instant::now();
    let value = work.await;
    *stage += started.elapsed();
    value
}

// === impl StageTimes ===

impl StageTimes {
    /// Adds CPU time, where it was measured.
    pub(crate) fn add_cpu(&mut self, more: Option<CpuSeconds>) {
        if let Some(CpuSeconds(more)) = more {
            self.cpu = Some(CpuSeconds(more + self.cpu.unwrap_or_default().0));
        }
    }
}
