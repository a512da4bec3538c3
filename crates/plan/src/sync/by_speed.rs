//! Local steps where nobody waits for others (`async`): by speed.
//!
//! A fast worker that exchanges weights more often than a slow one makes the slow one's stale. With steps by speed
//! (DyLU: Liu et al., Asynchronous Local-SGD Training for Language Modeling, 2024) all exchange about equally often:
//! k = floor(H c of the slowest / c), at least 1 and at most K.
//!
//! H is the smallest with which the workers compute for at least the wanted part of their time.

use std::num::NonZeroU32;

use super::cost::WorkerCost;
use super::headwater::{Headwater, most_steps};
use super::micros::Micros;
use super::search::{Trial, search};
use super::step_plan::{Prediction, StepPlan};

/// Steps by speed, for workers that do not wait for each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BySpeed {
    /// The part of all workers' time that is to be spent in local steps, above 0 and below 1.
    pub utilisation: f64,
    /// K: the most steps of a worker between two exchanges, as of [`Headwater`].
    pub max_steps: Option<NonZeroU32>,
    /// The most steps of the slowest worker, as a [`DriftLimit`](super::DriftLimit) allows.
    pub most_of_slowest: Option<NonZeroU32>,
}

// === impl BySpeed ===

impl Default for BySpeed {
    fn default() -> Self {
        let Headwater { utilisation, max_steps, most_of_slowest, .. } = Headwater::default();
        Self { utilisation, max_steps, most_of_slowest }
    }
}

impl BySpeed {
    /// K for workers with these costs: what is given, or what the rule takes.
    pub fn most_steps(&self, costs: &[WorkerCost]) -> u32 {
        most_steps(self.max_steps, costs)
    }

    /// The steps of workers with these costs. The plan of no worker is empty.
    pub fn plan(&self, costs: &[WorkerCost]) -> StepPlan {
        let most = self.most_steps(costs);
        let trial = |slowest| {
            let Prediction { utilisation, steps_per_second, .. } = predict(costs, steps(costs, slowest, most));
            Trial { suffices: utilisation >= self.utilisation, steps_per_second }
        };
        let slowest = search(self.most_of_slowest.map_or(most, |limit| limit.get().min(most)), trial);
        let steps: Vec<_> = steps(costs, slowest, most).collect();
        let Prediction { round, utilisation, steps_per_second } = predict(costs, steps.iter().copied());
        StepPlan { local_steps_of_slowest: slowest, steps, round, utilisation, steps_per_second }
    }
}

fn steps(costs: &[WorkerCost], slowest: u32, most: u32) -> impl Iterator<Item = u32> {
    let longest = costs.iter().map(|cost| cost.compute()).max().unwrap_or_default().times(slowest);
    costs.iter().map(move |cost| cost.steps_within(longest, most))
}

/// Each worker repeats its steps and its exchange by itself. As many exchanges as there are workers arrive in the
/// workers' number over the sum of their rates.
fn predict(costs: &[WorkerCost], steps: impl Iterator<Item = u32>) -> Prediction {
    let (mut arrivals, mut busy, mut rate) = (0.0, 0.0, 0.0);
    for (cost, steps) in costs.iter().zip(steps) {
        let own = cost.round(steps).seconds();
        arrivals += own.recip();
        busy += cost.busy(steps).seconds() / own;
        rate += f64::from(steps) / own;
    }
    let workers = costs.len() as f64;
    // Of no worker nothing is predicted, and nothing is divided by.
    let round = if costs.is_empty() { Micros::ZERO } else { Micros((workers / arrivals * 1e6).round() as u64) };
    Prediction { round, utilisation: busy / workers.max(1.0), steps_per_second: rate }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_exchange_about_equally_often() {
        let of = |compute| WorkerCost::new(Micros(compute), Micros(4_800_000));
        let costs = [of(60_000), of(60_000), of(3_400_000), of(60_000), of(60_000), of(3_100_000)];
        let plan = BySpeed { most_of_slowest: NonZeroU32::new(2), ..BySpeed::default() }.plan(&costs);
        assert_eq!((plan.local_steps_of_slowest, plan.steps.as_slice()), (2, &[113, 113, 2, 113, 113, 2][..]));
        let plan = BySpeed::default().plan(&costs);
        assert!(plan.utilisation >= 0.9 && plan.local_steps_of_slowest > 2, "{plan:?}");
        let least = BySpeed { most_of_slowest: NonZeroU32::new(plan.local_steps_of_slowest - 1), ..BySpeed::default() };
        assert!(least.plan(&costs).utilisation < 0.9, "H is the smallest that suffices");
        let capped = BySpeed { max_steps: NonZeroU32::new(40), ..BySpeed::default() }.plan(&costs);
        assert_eq!(capped.steps.iter().max(), Some(&40));
        assert_eq!(BySpeed::default().plan(&[]).steps, [0_u32; 0]);
    }
}
