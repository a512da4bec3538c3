//! When a round closes: by who has arrived, and by no fixed time.
//!
//! A fixed timeout is wrong both ways: too short for a slow network, too long for a dead worker. So the arrivals
//! themselves say what is late.
//!
//! - A quorum has to be there: more than half of the workers that live. Fewer say nothing of the others.
//! - Then the round closes at median + 3 MAD of the arrivals so far, where MAD is the median of the distances from the
//!   median: both take no notice of a few that are far off, as mean and deviation would.
//! - MAD is at least a twentieth of the planned round, and at least one local step of the slowest among those that have
//!   arrived: equal workers arrive within microseconds, and without a floor any jitter would be late. Three steps are
//!   what a worker needs that another program has held up for a moment.
//! - No worker is late before the plan's own end: workers that the plan expects late, with long exchanges, are not cut
//!   for being on time.
//! - The round closes at once when all are there.
//!
//! Whoever is late is not lost: it counts in the round in which it arrives.

use super::micros::Micros;

/// MADs behind the median after which one is late: of arrivals that scatter as a normal distribution does, one in 46.
const MADS: u32 = 3;
/// The least MAD is the planned round's length by this.
const LEAST_PART: u64 = 20;

/// What a round's close depends on, beside its arrivals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// The workers that live and were asked for this round.
    pub workers: usize,
    /// The end of the round by its plan ([`StepPlan::round`](super::StepPlan::round)), since its begin. Nothing where
    /// costs are not known yet.
    pub planned: Micros,
    /// One local step of the slowest worker among those that have arrived.
    pub step: Micros,
}

// === impl Deadline ===

impl Deadline {
    /// How many arrivals a round of so many workers needs: a majority, and at least one.
    pub fn quorum(workers: usize) -> usize {
        workers / 2 + 1
    }

    /// The time at which the round closes, given when workers arrived since its begin, in any order. It may lie in the
    /// past, and moves with each arrival. `None` while the quorum is not there.
    pub fn closes(&self, arrivals: &[Micros]) -> Option<Micros> {
        if arrivals.len() >= self.workers {
            return arrivals.iter().max().copied();
        }
        if arrivals.len() < Self::quorum(self.workers) {
            return None;
        }
        let middle = median(arrivals.iter().copied());
        let spread = median(arrivals.iter().map(|arrival| Micros(arrival.get().abs_diff(middle.get()))));
        let least = Micros(self.planned.get() / LEAST_PART).max(self.step);
        Some(middle.plus(spread.max(least).times(MADS)).max(self.planned))
    }
}

/// The middle, or the mean of the two that are.
fn median(values: impl Iterator<Item = Micros>) -> Micros {
    let mut sorted: Vec<_> = values.map(Micros::get).collect();
    sorted.sort_unstable();
    let at = |place: usize| sorted.get(place).copied().unwrap_or_default();
    let (low, high) = (at(sorted.len().saturating_sub(1) / 2), at(sorted.len() / 2));
    Micros(low.midpoint(high))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closes(deadline: Deadline, arrivals: &[u64]) -> Option<u64> {
        let arrivals: Vec<_> = arrivals.iter().copied().map(Micros).collect();
        deadline.closes(&arrivals).map(Micros::get)
    }

    #[test]
    fn a_majority_has_to_be_there_and_all_are_enough() {
        assert_eq!([0, 1, 2, 3, 6, 7].map(Deadline::quorum), [1, 1, 2, 2, 4, 4]);
        let deadline = Deadline { workers: 6, planned: Micros(1000), step: Micros(10) };
        assert_eq!(closes(deadline, &[500, 510, 520]), None);
        assert_eq!(closes(deadline, &[1, 2, 3, 4, 5, 6]), Some(6), "nobody is waited for");
        assert_eq!(closes(Deadline { workers: 0, ..deadline }, &[]), None);
    }

    #[test]
    fn the_round_closes_three_mads_behind_the_median() {
        let deadline = Deadline { workers: 6, planned: Micros(1000), step: Micros(10) };
        // Median 1200, distances 200, 100, 0, 100, 300: MAD 100.
        assert_eq!(closes(deadline, &[1000, 1100, 1200, 1300, 1500]), Some(1500));
        // Of an even number the middle is between two: 1150, distances 150, 50, 50, 150.
        assert_eq!(closes(deadline, &[1000, 1100, 1200, 1300]), Some(1450));
        // One that was far off moves little.
        assert_eq!(closes(deadline, &[1000, 1100, 1200, 1300, 90_000]), Some(1500));
    }

    #[test]
    fn equal_workers_have_room_and_nobody_is_late_before_the_plan_ends() {
        let deadline = Deadline { workers: 6, planned: Micros(1000), step: Micros(10) };
        assert_eq!(closes(deadline, &[1000; 5]), Some(1150), "a twentieth of the round, three times");
        let slow = Deadline { step: Micros(100), ..deadline };
        assert_eq!(closes(slow, &[1000; 5]), Some(1300), "three steps of the slowest");
        assert_eq!(closes(deadline, &[500; 5]), Some(1000), "the plan's own end");
    }

    #[test]
    fn a_worker_that_is_a_hundred_times_slower_holds_nobody_up() {
        let others = [60_000, 61_000, 62_000, 63_000, 64_000];
        let warm_up = Deadline { workers: 6, planned: Micros::ZERO, step: Micros(5000) };
        assert_eq!(closes(warm_up, &others), Some(62_000 + 3 * 5000));
    }
}
