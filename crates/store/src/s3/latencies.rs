//! How long reads take, so that a read that takes longer than nearly all is made a second time.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The last few hundred reads.
#[derive(Debug, Default)]
pub(super) struct Latencies(Mutex<Recent>);

#[derive(Debug, Default)]
struct Recent {
    times: Vec<Duration>,
    next: usize,
    /// The 99th percentile, once there are enough.
    p99: Option<Duration>,
}

/// The number of reads that are remembered: fewer have no 99th percentile.
const REMEMBERED: usize = 512;
/// The percentile is computed anew after so many reads.
const EVERY: usize = 64;
/// The percentile while none is known: twenty times what a store takes that is well.
const UNKNOWN: Duration = Duration::from_secs(2);
/// The least percentile: a second read sooner than this would help nobody.
const LEAST: Duration = Duration::from_millis(50);

// === impl Latencies ===

impl Latencies {
    pub(super) fn took(&self, time: Duration) {
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = recent.next % REMEMBERED;
        match recent.times.get_mut(at) {
            Some(slot) => *slot = time,
            None => recent.times.push(time),
        }
        recent.next += 1;
        if recent.next.is_multiple_of(EVERY) {
            let mut sorted = recent.times.clone();
            sorted.sort_unstable();
            recent.p99 = sorted.get(sorted.len() * 99 / 100).copied();
        }
    }

    /// The time after which a read is slower than 99 of 100.
    pub(super) fn p99(&self) -> Duration {
        let recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recent.p99.map_or(UNKNOWN, |p99| p99.max(LEAST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_a_hundred_is_slower_and_old_times_are_forgotten() {
        let latencies = Latencies::default();
        assert_eq!(latencies.p99(), UNKNOWN);
        for time in 0..REMEMBERED as u64 {
            latencies.took(Duration::from_millis(time));
        }
        assert_eq!(latencies.p99(), Duration::from_millis(506));
        (0..REMEMBERED).for_each(|_| latencies.took(Duration::from_millis(1)));
        assert_eq!(latencies.p99(), LEAST);
    }
}
