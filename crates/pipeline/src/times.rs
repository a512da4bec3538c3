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

/// Adds the time that this takes to `stage`, unless it fails.
///
/// # Errors
/// Those of the work.
pub(crate) async fn timed<T, E>(stage: &mut Duration, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let started = Instant::now();
    let value = work.await?;
    *stage += started.elapsed();
    Ok(value)
}

// === impl StageTimes ===

impl StageTimes {
    /// The times of a sample at the start of its way.
    pub(crate) fn none(measure_cpu: bool) -> Self {
        // A sample that no worker touches took none of their time, which is not the same as an unknown time.
        Self { cpu: measure_cpu.then(CpuSeconds::default), ..Self::default() }
    }

    /// Adds CPU time, where it was measured.
    pub(crate) fn add_cpu(&mut self, more: Option<CpuSeconds>) {
        if let Some(CpuSeconds(more)) = more {
            self.cpu = Some(CpuSeconds(more + self.cpu.unwrap_or_default().0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stage_counts_only_what_succeeds() {
        let wait = Duration::from_millis(1);
        let ends = |outcome: Result<u8, u8>| async move {
            tokio::time::sleep(wait).await;
            outcome
        };
        let mut stage = Duration::ZERO;
        assert_eq!((timed(&mut stage, ends(Err(1))).await, stage), (Err(1), Duration::ZERO));
        assert_eq!(timed(&mut stage, ends(Ok(2))).await, Ok(2));
        assert!(stage >= wait);
    }
}
