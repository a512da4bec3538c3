//! The local steps of a round, and what they come to.

use super::cost::WorkerCost;
use super::micros::Micros;

/// How many local steps each worker takes in a round, and what is predicted of it.
#[derive(Clone, Debug, PartialEq)]
pub struct StepPlan {
    /// H: the steps of the worker that the round is made for, which is the slowest. 1 in plain sync and under the
    /// paper's rule.
    pub local_steps_of_slowest: u32,
    /// The steps of each worker, in the order of the costs; at least 1.
    pub steps: Vec<u32>,
    /// T: the round from its begin until the last worker's weights are exchanged. Of a plan without rounds (`async`)
    /// the time in which as many exchanges arrive as there are workers.
    pub round: Micros,
    /// The part of all workers' time that is spent in local steps, from 0 to 1.
    pub utilisation: f64,
    /// Local steps of all workers together in a second.
    pub steps_per_second: f64,
}

/// How the parts of a worker's round follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timing {
    /// The exchange comes behind the steps.
    Apart,
    /// The exchange of a round runs while the steps of the next are made.
    Overlapped,
}

/// What is predicted of steps, without the steps themselves: a search makes thousands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prediction {
    pub(super) round: Micros,
    pub(super) utilisation: f64,
    pub(super) steps_per_second: f64,
}

// === impl StepPlan ===

impl StepPlan {
    /// One step for each worker: plain sync, and how rounds begin whose costs are not known yet.
    pub fn one_step_each(costs: &[WorkerCost], overlap: bool) -> Self {
        Self::of(costs, 1, vec![1; costs.len()], Timing::of(overlap))
    }

    /// These steps of workers with these costs, in their order, whoever has planned them, with an H of 1.
    pub fn of_steps(costs: &[WorkerCost], steps: Vec<u32>, overlap: bool) -> Self {
        Self::of(costs, 1, steps, Timing::of(overlap))
    }

    pub(super) fn of(costs: &[WorkerCost], local_steps_of_slowest: u32, steps: Vec<u32>, timing: Timing) -> Self {
        let Prediction { round, utilisation, steps_per_second } = timing.predict(costs, steps.iter().copied());
        Self { local_steps_of_slowest, steps, round, utilisation, steps_per_second }
    }

    /// All workers' steps of a round together.
    pub fn all_steps(&self) -> u64 {
        self.steps.iter().copied().map(u64::from).sum()
    }
}

// === impl Timing ===

impl Timing {
    pub(super) fn of(overlap: bool) -> Self {
        if overlap { Self::Overlapped } else { Self::Apart }
    }

    /// How long a worker's part of a round takes: k c + m, or the longer of both where they overlap.
    pub(super) fn part(self, cost: WorkerCost, steps: u32) -> Micros {
        match self {
            Self::Apart => cost.round(steps),
            Self::Overlapped => cost.busy(steps).max(cost.communication()),
        }
    }

    /// The steps that a worker can make in a round that takes so long: floor((T - m) / c), or floor(T / c) where they
    /// overlap; from 1 to `most`.
    pub(super) fn steps_within(self, cost: WorkerCost, round: Micros, most: u32) -> u32 {
        match self {
            Self::Apart => cost.steps_within(round.minus(cost.communication()), most),
            Self::Overlapped => cost.steps_within(round, most),
        }
    }

    /// A round of these steps takes as long as the longest part. Of no worker nothing is predicted: all is 0.
    pub(super) fn predict(self, costs: &[WorkerCost], steps: impl Iterator<Item = u32>) -> Prediction {
        let (mut round, mut all, mut busy) = (Micros::ZERO, 0_u64, 0_u128);
        for (cost, steps) in costs.iter().zip(steps) {
            round = round.max(self.part(*cost, steps));
            all += u64::from(steps);
            busy += u128::from(cost.busy(steps).get());
        }
        let whole = (costs.len() as f64 * round.get() as f64).max(1.0);
        let seconds = round.seconds().max(1e-6);
        Prediction { round, utilisation: busy as f64 / whole, steps_per_second: all as f64 / seconds }
    }
}
