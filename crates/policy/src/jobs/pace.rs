//! When a job reaches a position: the line through where it was last measured.
//!
//! Times of accesses of several jobs are compared with each other, and are kept with cached entries. So the line stays
//! as it is while it foretells well, and a new line is said, so that all kept times are computed anew. Along one line
//! times grow with positions, whatever the true pace: what one job needs later has the later time.

use std::time::Duration;

/// Positions a second before anything was measured: a trainer on one accelerator. It matters only beside other jobs,
/// and only until this job has been measured.
const FIRST_RATE: f64 = 1_000.0;
/// A line is drawn anew where it is wrong by more than this share of an epoch.
const TOLERANCE: f64 = 1.0 / 32.0;
/// Fewer positions than this are no error, in an epoch of few.
const LEAST_ERROR: f64 = 64.0;

/// Where a job is when.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    /// Where the line begins.
    at: Duration,
    position: u64,
    /// Positions a second.
    rate: f64,
    /// Positions by which the line may be wrong.
    tolerance: f64,
}

// === impl Pace ===

impl Pace {
    /// A job that is at this position of an epoch of so many, as fast as it was before.
    pub(crate) fn new(now: Duration, position: u64, epoch: u64, before: Option<&Self>) -> Self {
        let rate = before.map_or(FIRST_RATE, |before| before.rate);
        Self { at: now, position, rate, tolerance: (epoch as f64 * TOLERANCE).max(LEAST_ERROR) }
    }

    /// Where the job is now. Whether a new line was drawn.
    pub(crate) fn measure(&mut self, now: Duration, position: u64) -> bool {
        let seconds = now.saturating_sub(self.at).as_secs_f64();
        let gone = position.saturating_sub(self.position) as f64;
        if (gone - seconds * self.rate).abs() <= self.tolerance {
            return false;
        }
        // A job that stands still, as in a validation, goes on as fast as before.
        if gone > 0.0 && seconds > 0.0 {
            self.rate = gone / seconds;
        }
        (self.at, self.position) = (now, position);
        true
    }

    /// When the job reaches a position, in microseconds.
    pub(crate) fn when(&self, position: u64) -> u64 {
        let seconds = position.saturating_sub(self.position) as f64 / self.rate;
        let begin = u64::try_from(self.at.as_micros()).unwrap_or(u64::MAX);
        begin.saturating_add((seconds * 1e6) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_holds_while_it_foretells_well_and_no_longer() {
        let second = Duration::from_secs(1);
        let mut pace = Pace::new(second, 0, 32_000, None);
        assert_eq!((pace.when(0), pace.when(1_000)), (1_000_000, 2_000_000));
        assert!(!pace.measure(second * 3, 1_500), "by 500 positions of 32,000 it is wrong");
        assert!(pace.measure(second * 6, 2_500), "now by 2,500");
        assert_eq!((pace.when(2_500), pace.when(3_000)), (6_000_000, 7_000_000));
        assert!(pace.measure(second * 60, 2_500), "it stood still, and its rate stays");
        assert_eq!(pace.when(3_000), 61_000_000);
        assert_eq!(Pace::new(second, 0, 10, Some(&pace)).when(500), 2_000_000);
    }
}
