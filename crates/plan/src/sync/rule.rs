//! Which rule gives the local steps of a round.

use super::by_speed::BySpeed;
use super::cost::WorkerCost;
use super::headwater::Headwater;
use super::paper::Paper;
use super::step_plan::StepPlan;

/// Which rule gives the local steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StepRule {
    /// Ours: rounds as long as the exchange of weights needs them.
    Headwater(Headwater),
    /// ESync's own: rounds as long as the slowest worker's step.
    Paper(Paper),
    /// One step each: plain sync.
    OneStep {
        /// Whether the exchange of a round runs while the steps of the next are made.
        overlap: bool,
    },
    /// By speed, for workers that do not wait for each other (`async`).
    BySpeed(BySpeed),
}

// === impl StepRule ===

impl StepRule {
    /// The steps of workers with these costs, in their order. The plan of no worker is empty.
    pub fn plan(&self, costs: &[WorkerCost]) -> StepPlan {
        match self {
            Self::Headwater(rule) => rule.plan(costs),
            Self::Paper(rule) => rule.plan(costs),
            Self::OneStep { overlap } => StepPlan::one_step_each(costs, *overlap),
            Self::BySpeed(rule) => rule.plan(costs),
        }
    }
}
