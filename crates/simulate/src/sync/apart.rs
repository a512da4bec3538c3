//! Workers that do not wait for each other: each repeats its steps and its exchange, and arrives when they are done.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use headwater_plan::sync::{Micros, WorkerCost};

use super::rounds::Rounds;

/// Workers that do not wait for each other.
pub(super) struct Apart<'a> {
    costs: &'a [WorkerCost],
    steps: &'a [u32],
}

// === impl Apart ===

impl<'a> Apart<'a> {
    pub(super) fn new(costs: &'a [WorkerCost], steps: &'a [u32]) -> Self {
        Self { costs, steps }
    }

    /// The steps are those that arrived in each round. A round is as many arrivals as there are workers, whosever they
    /// are. At one instant they come by rank.
    pub(super) fn rounds(&self, rounds: u32) -> Rounds {
        let workers = self.costs.len();
        let next = |rank: usize, from: Micros| Reverse((from.plus(self.cycle(rank)), rank));
        let mut arrivals: BinaryHeap<_> = (0..workers).map(|rank| next(rank, Micros::ZERO)).collect();
        let (mut of_rounds, mut ends, mut end) = (Vec::new(), Vec::new(), Micros::ZERO);
        for _ in 0..rounds {
            let mut of_round = vec![0_u32; workers];
            for _ in 0..workers {
                let Some(Reverse((now, rank))) = arrivals.pop() else { break };
                of_round[rank] = of_round[rank].saturating_add(self.steps[rank]);
                arrivals.push(next(rank, now));
                end = now;
            }
            of_rounds.push(of_round);
            ends.push(end);
        }
        let busy: u128 = (0..workers).map(|rank| u128::from(self.busy(rank, end))).sum();
        let utilisation = busy as f64 / (workers as f64 * end.get() as f64).max(1.0);
        (of_rounds, ends, utilisation)
    }

    /// A worker's steps and its exchange.
    fn cycle(&self, rank: usize) -> Micros {
        self.costs[rank].compute().times(self.steps[rank]).plus(self.costs[rank].communication())
    }

    /// The time until `end` that a worker has spent in steps: each cycle begins with them.
    fn busy(&self, rank: usize, end: Micros) -> u64 {
        let (cycle, steps) = (self.cycle(rank).get(), self.costs[rank].compute().times(self.steps[rank]).get());
        (end.get() / cycle).saturating_mul(steps).saturating_add((end.get() % cycle).min(steps))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_as_many_arrivals_as_workers_and_a_tie_goes_by_rank() {
        let costs = [WorkerCost::new(Micros(10), Micros(5)), WorkerCost::new(Micros(20), Micros(10))];
        // Arrivals: 15 of 0, then at 30 both, 45 of 0, at 60 both.
        let (steps, ends, utilisation) = Apart::new(&costs, &[1, 1]).rounds(3);
        assert_eq!(steps, [[2, 0], [1, 1], [1, 1]]);
        assert_eq!(ends, [30, 45, 60].map(Micros));
        assert!((utilisation - 80.0 / 120.0).abs() < 1e-12, "{utilisation}");
    }
}
