//! ESync's own rule, that of its state server (Lizonghang/ESync, `SimpleStateServer/server/views.py`).
//!
//! The server keeps each worker's number of steps in this round, the time c that its last step took, and when that
//! ended (te), or when its round began. Before each step a worker asks whether it shall exchange weights:
//!
//! - Without a step in this round it makes one.
//! - The slowest is the worker with the longest c; of several the first in rank.
//! - A worker exchanges if it is the slowest, or if the slowest does already, or if its own step would not end
//!   `epsilon` before the slowest's: c + epsilon > c of the slowest + te of the slowest - now.
//! - Else it makes another step.
//!
//! An exchange is a barrier: all begin the next round when the last has exchanged, and the rule takes no account of how
//! long that takes. While costs stay as they are the slowest begins with the round, and makes one step: te is the
//! round's begin. So the worker makes the least number of steps j with (j + 1) c + epsilon > c of the slowest: what
//! [`Paper::plan`] computes, and what its tests hold against the server's own words, event by event.

use super::cost::WorkerCost;
use super::micros::Micros;
use super::step_plan::{StepPlan, Timing};

/// ESync's `epsilon`, where none is given: half a second.
const EPSILON: Micros = Micros(500_000);

/// ESync's own rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paper {
    /// How much earlier than the slowest worker's step another's next step has to end.
    pub epsilon: Micros,
}

// === impl Paper ===

impl Default for Paper {
    fn default() -> Self {
        Self { epsilon: EPSILON }
    }
}

impl Paper {
    /// The steps of workers with these costs. The plan of no worker is empty.
    pub fn plan(&self, costs: &[WorkerCost]) -> StepPlan {
        let slowest = costs.iter().map(|cost| cost.compute()).max().unwrap_or_default();
        let steps = costs.iter().map(|cost| self.steps(cost.compute(), slowest)).collect();
        StepPlan::of(costs, 1, steps, Timing::Apart)
    }

    /// The least number of steps behind which another would not end in time.
    fn steps(&self, compute: Micros, slowest: Micros) -> u32 {
        // Differences of 128 bits: nothing saturates, and nothing is below 0.
        let (own, all) = (i128::from(compute.get()), i128::from(slowest.get()));
        let before_the_last = (all - own - i128::from(self.epsilon.get())).div_euclid(own);
        u32::try_from(before_the_last + 1).unwrap_or(if before_the_last < 0 { 1 } else { u32::MAX }).max(1)
    }
}

#[cfg(test)]
mod tests;
