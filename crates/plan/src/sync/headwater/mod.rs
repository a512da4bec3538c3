//! Our rule: rounds as long as the exchange of weights needs them.
//!
//! ESync's round is as long as the slowest worker's one step. Where exchanges take long, workers then wait for the
//! network most of the time. Here the slowest makes H steps, and a round takes T = max(H c + m) over all workers; each
//! makes as many steps as fit: k = floor((T - m) / c), at least 1 and at most K. Where exchanges overlap with the steps
//! of the next round, T = max(H c, m) and k = floor(T / c).
//!
//! H is the smallest with which the workers compute for at least the wanted part of their time, and that makes no fewer
//! steps a second than plain sync or the paper's rule: more would let the workers' weights drift apart for nothing.

use std::num::NonZeroU32;

use super::cost::WorkerCost;
use super::micros::Micros;
use super::paper::Paper;
use super::search::{Trial, search};
use super::step_plan::{Prediction, StepPlan, Timing};

/// The part of the time that is spent in steps, where nothing else is wanted: beyond it rounds grow fast for little, as
/// the last tenth would take ten times as many steps as the first half.
const UTILISATION: f64 = 0.9;
/// Most steps of a worker in a round, where none are given. Far more would be a run of its own.
const MAX_STEPS: u32 = 1024;

/// Our rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Headwater {
    /// The part of all workers' time that is to be spent in local steps, above 0 and below 1.
    pub utilisation: f64,
    /// K: the most steps of a worker in a round, which hold strictly. If not given, 1,024, or as often as the slowest
    /// worker's step is longer than the fastest's if that is more: so the rule is never below the paper's, which has no
    /// such limit.
    pub max_steps: Option<NonZeroU32>,
    /// Whether the exchange of a round runs while the steps of the next are made.
    pub overlap: bool,
    /// The most steps of the slowest worker, as a [`DriftLimit`](super::DriftLimit) allows.
    pub most_of_slowest: Option<NonZeroU32>,
}

/// The rule at work on some workers.
struct Planning<'a> {
    costs: &'a [WorkerCost],
    timing: Timing,
    /// K.
    most: u32,
}

// === impl Headwater ===

impl Default for Headwater {
    fn default() -> Self {
        Self { utilisation: UTILISATION, max_steps: None, overlap: false, most_of_slowest: None }
    }
}

impl Headwater {
    /// K for workers with these costs: what is given, or what the rule takes.
    pub fn most_steps(&self, costs: &[WorkerCost]) -> u32 {
        most_steps(self.max_steps, costs)
    }

    /// The steps of workers with these costs. The plan of no worker is empty.
    pub fn plan(&self, costs: &[WorkerCost]) -> StepPlan {
        let (timing, most) = (Timing::of(self.overlap), self.most_steps(costs));
        let planning = Planning { costs, timing, most };
        let plain = StepPlan::one_step_each(costs, self.overlap);
        let paper = Paper::default().plan(costs);
        let least = plain.steps_per_second.max(paper.steps_per_second);
        let trial = |steps| {
            let Prediction { utilisation, steps_per_second, .. } = planning.predict(planning.round(steps));
            Trial { suffices: utilisation >= self.utilisation && steps_per_second >= least, steps_per_second }
        };
        let slowest = search(self.most_of_slowest.map_or(most, |limit| limit.get().min(most)), trial);
        let plan = planning.plan(slowest, planning.round(slowest));
        if plan.steps_per_second >= paper.steps_per_second {
            return plan;
        }
        // A round as long as the paper's has at least as many steps of every worker, unless K forbids it.
        let likewise = planning.plan(1, paper.round);
        if likewise.steps_per_second > plan.steps_per_second { likewise } else { plan }
    }
}

// === impl Planning ===

impl Planning<'_> {
    /// T of so many steps of the slowest.
    fn round(&self, steps: u32) -> Micros {
        self.costs.iter().map(|cost| self.timing.part(*cost, steps)).max().unwrap_or_default()
    }

    fn fill(&self, round: Micros) -> impl Iterator<Item = u32> {
        self.costs.iter().map(move |cost| self.timing.steps_within(*cost, round, self.most))
    }

    fn predict(&self, round: Micros) -> Prediction {
        self.timing.predict(self.costs, self.fill(round))
    }

    fn plan(&self, slowest: u32, round: Micros) -> StepPlan {
        StepPlan::of(self.costs, slowest, self.fill(round).collect(), self.timing)
    }
}

/// K: what is given, or what the rule takes for these workers.
pub(super) fn most_steps(given: Option<NonZeroU32>, costs: &[WorkerCost]) -> u32 {
    if let Some(given) = given {
        return given.get();
    }
    let steps = || costs.iter().map(|cost| cost.compute().get());
    let (longest, shortest) = (steps().max().unwrap_or(1), steps().min().unwrap_or(1));
    u32::try_from(longest.div_ceil(shortest)).unwrap_or(u32::MAX).max(MAX_STEPS)
}

#[cfg(test)]
mod tests;
