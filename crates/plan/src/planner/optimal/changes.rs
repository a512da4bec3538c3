//! What steps would change, in seconds of each resource: kept, because a search asks for the same changes again and
//! again.

use super::rounding::lines_of;
use super::steps::Step;
use crate::cost::{CostModel, Load};

/// Steps that are looked at in pairs.
const PAIRS: usize = 700;

/// What each step would change, in seconds of each resource.
pub(super) struct Changes<'s> {
    steps: &'s [Step],
    resources: usize,
    /// `[steps, resources]`.
    seconds: Vec<f64>,
    /// The choice of the step's sample for which `seconds` hold.
    from: Vec<u8>,
}

// === impl Changes ===

impl<'s> Changes<'s> {
    pub(super) fn new(model: &CostModel<'_>, steps: &'s [Step]) -> Self {
        let resources = model.lines.len();
        // No way has this number, so that all are computed at first.
        Self { steps, resources, seconds: vec![0.0; steps.len() * resources], from: vec![u8::MAX; steps.len()] }
    }

    /// Computes anew the changes of the samples that have taken another way.
    pub(super) fn refresh(&mut self, model: &CostModel<'_>, choices: &[u8]) {
        for (place, step) in self.steps.iter().enumerate() {
            let from = choices[step.index];
            if self.from[place] == from {
                continue;
            }
            self.from[place] = from;
            let row = model.profile.row(step.index);
            let more: Load = row.load(step.position.into()).minus(row.load(from.into()));
            let seconds = &mut self.seconds[place * self.resources..(place + 1) * self.resources];
            lines_of(model, step.server).for_each(|at| seconds[at] = model.lines[at].rates.of(more));
        }
    }

    fn of(&self, place: usize) -> &[f64] {
        &self.seconds[place * self.resources..(place + 1) * self.resources]
    }

    /// The step after which the excess is least, with that excess.
    pub(super) fn best_single(&self, now: &[f64], bound: f64) -> Option<(f64, usize)> {
        let excess = |place: usize| {
            let after = now.iter().zip(self.of(place)).map(|(now, more)| (now + more - bound).max(0.0).powi(2));
            (after.sum::<f64>(), place)
        };
        (0..self.steps.len()).map(excess).min_by(|a, b| a.0.total_cmp(&b.0))
    }

    /// The two steps of different samples after which the excess is least, with that excess.
    pub(super) fn best_pair(&self, now: &[f64], bound: f64) -> Option<(f64, usize, usize)> {
        let count = self.steps.len().min(PAIRS);
        let mut best: Option<(f64, usize, usize)> = None;
        for one in 0..count {
            for other in one + 1..count {
                if self.steps[one].index == self.steps[other].index {
                    continue;
                }
                let pair = self.of(one).iter().zip(self.of(other));
                let after = now.iter().zip(pair).map(|(now, (a, b))| (now + a + b - bound).max(0.0).powi(2));
                let after = after.sum::<f64>();
                if best.is_none_or(|(least, ..)| after < least) {
                    best = Some((after, one, other));
                }
            }
        }
        best
    }

    /// Adds a step's change.
    pub(super) fn apply(&self, place: usize, seconds: &mut [f64]) {
        seconds.iter_mut().zip(self.of(place)).for_each(|(seconds, more)| *seconds += more);
    }
}

/// How far over the bound the resources are: the sum of squares.
pub(super) fn excess(seconds: &[f64], bound: f64) -> f64 {
    seconds.iter().map(|seconds| (seconds - bound).max(0.0).powi(2)).sum()
}
