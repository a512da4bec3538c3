//! A consumer that takes batches at a rate.

use std::time::Duration;

use headwater_plan::SamplesPerSecond;
use tokio::time::{Instant, sleep_until};

/// A consumer that takes batches at a rate, as an accelerator would.
pub(crate) struct Pace {
    rate: Option<SamplesPerSecond>,
    /// When it is done with what it has taken.
    free: Instant,
}

// === impl Pace ===

impl Pace {
    /// A consumer that is free now; without a rate it takes batches as they come.
    pub(crate) fn new(rate: Option<SamplesPerSecond>) -> Self {
        Self { rate, free: Instant::now() }
    }

    /// Hands over a batch as soon as the batch before is done with. Gives how long that took.
    pub(crate) async fn take(&mut self, samples: usize) -> Duration {
        let Some(rate) = self.rate else { return Duration::ZERO };
        let begin = Instant::now();
        sleep_until(self.free).await;
        let step = Duration::try_from_secs_f64(samples as f64 / rate.get()).unwrap_or(Duration::MAX / 4);
        self.free = self.free.max(begin) + step;
        begin.elapsed()
    }

    /// Waits until the last batch is done with.
    pub(crate) async fn finish(&self) {
        if self.rate.is_some() {
            sleep_until(self.free).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_consumer_takes_batches_at_its_rate_and_is_not_made_to_wait_for_what_it_missed() {
        let begin = Instant::now();
        let mut pace = Pace::new(SamplesPerSecond::new(100.0));
        for _ in 0..5 {
            pace.take(50).await;
        }
        pace.finish().await;
        assert_eq!(begin.elapsed(), Duration::from_millis(2500));
        sleep(Duration::from_secs(60)).await;
        assert_eq!(pace.take(50).await, Duration::ZERO);
        let unpaced = &mut Pace::new(None);
        assert_eq!(unpaced.take(1_000_000).await, Duration::ZERO);
    }
}
