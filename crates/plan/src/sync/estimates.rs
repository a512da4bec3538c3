//! What a step and an exchange take each worker, as it was measured.

use super::cost::WorkerCost;
use super::micros::Micros;
use super::rule::StepRule;
use super::step_plan::StepPlan;

/// The weight of the newest round: half. A round's mean is over all its steps, so that little of it is noise, and a
/// machine that has become slower is known as such in three rounds.
const NEWEST: f64 = 0.5;

/// Exponentially weighted means of what workers were measured to take, by the worker's number. They are kept across
/// rounds, and while a worker is away.
#[derive(Clone, Debug, Default)]
pub struct Estimates {
    of_workers: Vec<Option<Estimate>>,
}

/// In microseconds: whole ones would stand still below a difference of one.
#[derive(Clone, Copy, Debug)]
struct Estimate {
    compute: f64,
    communication: f64,
}

// === impl Estimates ===

impl Estimates {
    /// Takes in a round of a worker: `compute` is that of all its `steps`, `communication` the whole exchange. A round
    /// without steps says nothing of either, and is left out.
    pub fn observe(&mut self, worker: usize, compute: Micros, steps: u32, communication: Micros) {
        if steps == 0 {
            return;
        }
        if self.of_workers.len() <= worker {
            self.of_workers.resize(worker + 1, None);
        }
        let (compute, communication) = (compute.get() as f64 / f64::from(steps), communication.get() as f64);
        let newest = Estimate { compute, communication };
        let known = &mut self.of_workers[worker];
        *known = Some(known.map_or(newest, |known| known.towards(newest)));
    }

    /// What a worker takes; `None` until it was measured.
    pub fn cost(&self, worker: usize) -> Option<WorkerCost> {
        let known = (*self.of_workers.get(worker)?)?;
        let micros = |value: f64| Micros(value.round() as u64);
        Some(WorkerCost::new(micros(known.compute), micros(known.communication)))
    }

    /// Forgets a worker: one that comes back on another machine is measured anew.
    pub fn forget(&mut self, worker: usize) {
        if let Some(known) = self.of_workers.get_mut(worker) {
            *known = None;
        }
    }

    /// A round of these workers, in their order. Those that were never measured make one step, which measures them, and
    /// the others are planned as if these were not there: so the first round of a run is a warm-up of one step each,
    /// and a worker that joins holds nobody up for long.
    pub fn plan(&self, rule: &StepRule, workers: &[usize]) -> StepPlan {
        let costs: Vec<_> = workers.iter().map(|worker| self.cost(*worker)).collect();
        let measured: Vec<_> = costs.iter().flatten().copied().collect();
        if measured.is_empty() {
            return StepPlan { steps: vec![1; workers.len()], ..StepPlan::one_step_each(&[], false) };
        }
        let mut plan = rule.plan(&measured);
        let mut steps = plan.steps.iter().copied();
        plan.steps = costs.iter().map(|cost| cost.and_then(|_| steps.next()).unwrap_or(1)).collect();
        plan
    }
}

// === impl Estimate ===

impl Estimate {
    fn towards(self, newest: Self) -> Self {
        let mean = |known: f64, newest: f64| known + NEWEST * (newest - known);
        let compute = mean(self.compute, newest.compute);
        Self { compute, communication: mean(self.communication, newest.communication) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::headwater::Headwater;
    use super::*;

    #[test]
    fn a_worker_is_unknown_until_measured_and_then_a_mean_that_follows() {
        let mut estimates = Estimates::default();
        estimates.observe(2, Micros(4000), 4, Micros(100));
        assert_eq!((estimates.cost(0), estimates.cost(7)), (None, None));
        assert_eq!(estimates.cost(2), Some(WorkerCost::new(Micros(1000), Micros(100))));
        estimates.observe(2, Micros(2000), 1, Micros(200));
        assert_eq!(estimates.cost(2), Some(WorkerCost::new(Micros(1500), Micros(150))));
        estimates.observe(2, Micros(9), 0, Micros(9));
        assert_eq!(estimates.cost(2), Some(WorkerCost::new(Micros(1500), Micros(150))), "no step says nothing");
        for _ in 0..3 {
            estimates.observe(2, Micros(16_000), 1, Micros(150));
        }
        let slower = estimates.cost(2).unwrap().compute().get();
        assert!((14_000..16_000).contains(&slower), "known as slower in three rounds: {slower}");
        estimates.forget(2);
        assert_eq!(estimates.cost(2), None);
    }

    #[test]
    fn the_first_round_is_one_step_and_so_is_that_of_one_who_joins() {
        let (mut estimates, rule) = (Estimates::default(), StepRule::Headwater(Headwater::default()));
        let first = estimates.plan(&rule, &[0, 1]);
        assert_eq!((first.steps, first.local_steps_of_slowest, first.round), (vec![1, 1], 1, Micros::ZERO));
        estimates.observe(0, Micros(1000), 1, Micros(1000));
        estimates.observe(1, Micros(4000), 1, Micros(1000));
        let both = estimates.plan(&rule, &[0, 1]);
        let joined = estimates.plan(&rule, &[0, 5, 1]);
        assert_eq!(joined.steps, [both.steps[0], 1, both.steps[1]]);
        assert_eq!(joined.round, both.round);
        assert!(both.steps[0] >= 4 * both.steps[1]);
    }
}
