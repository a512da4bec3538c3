//! Rounds that workers join.

use headwater_plan::sync::{Estimates, Micros, StepPlan, StepRule, WorkerCost};

use super::cluster::Cluster;
use super::rounds::Rounds;

/// Rounds that workers join. What those take that are there from the first round on is known; one that joins is
/// measured by one step in its first round, as a coordinator does it ([`Estimates::plan`]).
pub(super) struct Joining<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) rule: &'a StepRule,
    pub(super) overlap: bool,
}

// === impl Joining ===

impl Joining<'_> {
    /// Steps of workers that are not there yet are 0.
    pub(super) fn rounds(&self, rounds: u32) -> Rounds {
        let workers = self.cluster.workers.len();
        let mut estimates = Estimates::default();
        self.there(1).into_iter().for_each(|worker| self.measure(&mut estimates, worker));
        let (mut of_rounds, mut ends) = (Vec::new(), Vec::new());
        let (mut end, mut whole, mut busy) = (Micros::ZERO, 0.0, 0.0);
        let (mut steps, mut since) = (Vec::new(), 0);
        for round in 1..=rounds {
            let there = self.there(round);
            since = if steps.len() == there.len() { since + 1 } else { 0 };
            if since < 2 {
                // Who has just come, or was measured in the round before, changes the plan, and nobody else.
                steps = estimates.plan(self.rule, &there).steps;
            }
            let costs: Vec<WorkerCost> = there.iter().map(|worker| self.cluster.workers[*worker]).collect();
            let taken = StepPlan::of_steps(&costs, steps.clone(), self.overlap);
            end = end.plus(taken.round);
            let time = taken.round.seconds() * there.len() as f64;
            (whole, busy) = (whole + time, busy + time * taken.utilisation);
            let mut of_round = vec![0; workers];
            for (worker, taken) in there.into_iter().zip(taken.steps) {
                of_round[worker] = taken;
                self.measure(&mut estimates, worker);
            }
            of_rounds.push(of_round);
            ends.push(end);
        }
        (of_rounds, ends, busy / f64::max(whole, 1e-6))
    }

    /// The workers of a round.
    fn there(&self, round: u32) -> Vec<usize> {
        let first = self.cluster.from_round.iter().enumerate();
        first.filter(|(_, from)| **from <= round).map(|(worker, _)| worker).collect()
    }

    fn measure(&self, estimates: &mut Estimates, worker: usize) {
        let cost = self.cluster.workers[worker];
        estimates.observe(worker, cost.compute(), 1, cost.communication());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_one_worker_to_thirty_two_in_a_round_nobody_stands_still_for_longer_than_the_slowest_step() {
        let cost = |rank: u64| WorkerCost::new(Micros(1_000 * (1 + rank % 7)), Micros(2_000));
        let from_round = (0..32).map(|rank| if rank == 0 { 1 } else { 5 }).collect();
        let workers = (0..32).map(cost).collect();
        let cluster = Cluster { workers, from_round, batch: 64, model_bytes: 1_000 };
        let rule = StepRule::Headwater(headwater_plan::sync::Headwater::default());
        let (steps, ends, utilisation) = Joining { cluster: &cluster, rule: &rule, overlap: false }.rounds(8);
        let length = |round: usize| ends[round].minus(ends[round - 1]).get();
        assert!(steps[..4].iter().all(|round| round[0] > 1 && round[1..].iter().all(|steps| *steps == 0)), "{steps:?}");
        assert!(steps[4][0] == steps[3][0] && steps[4][1..].iter().all(|steps| *steps == 1), "{steps:?}");
        assert_eq!(length(4), length(3).max(7_000 + 2_000), "it lasts as long as the slowest one's only step");
        let all = rule.plan(&cluster.workers);
        assert_eq!((&steps[5], length(5)), (&all.steps, all.round.get()), "the next is planned for all");
        assert!(utilisation > 0.7 && utilisation < 1.0, "{utilisation}");
    }
}
