//! An assignment: a way for each sample, and what that comes to.

use crate::cost::CostModel;

/// A way for each sample.
#[derive(Clone, Debug)]
pub(super) struct Assignment {
    /// For each sample the position of its way.
    pub(super) choices: Vec<u8>,
    /// Seconds of each resource.
    pub(super) seconds: Vec<f64>,
    /// Seconds of the epoch: those of the resource that takes longest.
    pub(super) epoch: f64,
}

// === impl Assignment ===

impl Assignment {
    pub(super) fn new(model: &CostModel<'_>, choices: Vec<u8>) -> Self {
        let seconds = model.seconds(&model.loads(&choices));
        let epoch = CostModel::epoch(&seconds);
        Self { choices, seconds, epoch }
    }

    /// The largest regret that a way of a better assignment has. There is room for rounding: a way a hair above the
    /// limit may be in an assignment as good.
    pub(super) fn most_regret(&self, bound: f64) -> f64 {
        (self.epoch - bound) * (1.0 + 1e-9) + 1e-12 * self.epoch
    }
}
