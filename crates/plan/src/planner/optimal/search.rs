//! An assignment made better step by step: one sample takes another way, or two do at once.
//!
//! Prices tell which steps are worth trying. A way's regret is what it costs more than its sample's cheapest, and all
//! regrets of an assignment sum to at most its epoch less the bound: a way with a larger regret than that is in no
//! better assignment, and never looked at.

use std::collections::HashMap;

use super::exact;
use super::problem::Problem;
use super::rounding::lines_of;
use crate::cost::{CostModel, Load};

/// An assignment under way.
#[derive(Clone, Debug)]
pub(super) struct Assignment {
    pub(super) choices: Vec<u8>,
    /// Seconds of each resource.
    pub(super) seconds: Vec<f64>,
    pub(super) epoch: f64,
}

/// A step: a sample and the way that it could take.
#[derive(Clone, Copy, Debug)]
struct Step {
    index: usize,
    server: usize,
    position: u8,
    regret: f64,
}

/// How many steps are looked at alone, and how many in pairs.
const SINGLES: usize = 6000;
const PAIRS: usize = 700;
/// How many of the steps that change the same are kept.
const ALIKE: usize = 6;
/// Rounds in which a few samples are given the best ways, how many at once, and among how many steps.
const REPAIRS: usize = 120;
const AT_ONCE: usize = 16;
const POOL: usize = 160;
/// The most steps that are taken.
const MOST_STEPS: usize = 400;

// === impl Assignment ===

impl Assignment {
    pub(super) fn new(model: &CostModel<'_>, choices: Vec<u8>) -> Self {
        let seconds = model.seconds(&model.loads(&choices));
        let epoch = CostModel::epoch(&seconds);
        Self { choices, seconds, epoch }
    }

    /// Takes steps while they shorten the epoch, or bring the resources that are over the bound closer to it.
    pub(super) fn improve(&mut self, problem: &Problem<'_>, prices: &[f64], bound: f64, good_enough: f64) {
        let model = problem.model;
        for _ in 0..4 {
            if self.epoch <= good_enough {
                return;
            }
            let before = self.epoch;
            let steps = self.steps(problem, prices, bound);
            self.take(model, &steps, bound);
            // Sums that were kept up to date for long are made anew.
            let choices = std::mem::take(&mut self.choices);
            *self = Self::new(model, choices);
            if self.epoch >= before {
                return;
            }
        }
    }

    /// Takes a few samples at a time, of those whose ways cost little more than the cheapest, and gives them the best
    /// ways that there are while all others stay: what single steps and pairs cannot reach, as when samples are few,
    /// large or alike.
    pub(super) fn repair(&mut self, problem: &Problem<'_>, prices: &[f64], bound: f64, good_enough: f64) {
        let mut dice = 0x9e37_79b9_7f4a_7c15_u64;
        let mut samples = self.samples(problem, prices, bound);
        for _ in 0..REPAIRS {
            if self.epoch <= good_enough || samples.len() < 2 {
                return;
            }
            // A part of a shuffle (xorshift: the same every time).
            let count = samples.len().min(AT_ONCE);
            for place in 0..count {
                dice ^= dice << 13;
                dice ^= dice >> 7;
                dice ^= dice << 17;
                let other = place + (dice % (samples.len() - place) as u64) as usize;
                samples.swap(place, other);
            }
            let before = self.epoch;
            exact::repair(problem, prices, bound, self, &samples[..count]);
            if self.epoch < before {
                samples = self.samples(problem, prices, bound);
            }
        }
    }

    /// (Server, sample) of the steps that are worth most.
    fn samples(&self, problem: &Problem<'_>, prices: &[f64], bound: f64) -> Vec<(usize, usize)> {
        let steps = self.steps(problem, prices, bound);
        let mut samples: Vec<_> = steps.iter().take(POOL).map(|step| (step.server, step.index)).collect();
        samples.sort_unstable();
        samples.dedup();
        samples
    }

    fn take(&mut self, model: &CostModel<'_>, steps: &[Step], bound: f64) {
        let mut changes = Changes::new(model, steps);
        for _ in 0..MOST_STEPS {
            changes.refresh(model, &self.choices);
            let now = excess(&self.seconds, bound);
            if now <= 0.0 {
                return;
            }
            let single = changes.best_single(&self.seconds, bound);
            let chosen = match single {
                Some((less, step)) if less < now * (1.0 - 1e-9) => vec![step],
                _ => match changes.best_pair(&self.seconds, bound) {
                    Some((less, one, other)) if less < now * (1.0 - 1e-9) => vec![one, other],
                    _ => return,
                },
            };
            for place in chosen {
                changes.apply(place, &mut self.seconds);
                self.choices[steps[place].index] = steps[place].position;
            }
        }
    }

    /// The steps that a better assignment may consist of, those of least regret first.
    fn steps(&self, problem: &Problem<'_>, prices: &[f64], bound: f64) -> Vec<Step> {
        let model = problem.model;
        let rates = model.rates(prices);
        // Room for rounding: what is a hair above the limit may still be in an assignment as good.
        let most = (self.epoch - bound) * (1.0 + 1e-9) + 1e-12 * self.epoch;
        let (mut steps, mut limit) = (Vec::new(), most);
        for (server, rates) in rates.iter().enumerate() {
            for index in model.profile.samples_of(server) {
                let row = model.profile.row(index);
                let worth = |position: usize| rates.of(row.load(position));
                let possible = |&position: &usize| problem.is_possible(server, index, position);
                let least = problem.allowed.iter().copied().filter(possible).map(worth).fold(f64::INFINITY, f64::min);
                for &position in problem.allowed {
                    let regret = worth(position) - least;
                    let same = usize::from(self.choices[index]) == position;
                    if !same && regret <= limit && possible(&position) {
                        steps.push(Step { index, server, position: position as u8, regret });
                    }
                }
                // The way that it has is a step, too, once it has taken another.
                if steps.len() > 2 * SINGLES {
                    steps.select_nth_unstable_by(SINGLES, |a, b| a.regret.total_cmp(&b.regret));
                    steps.truncate(SINGLES);
                    limit = steps.iter().map(|step| step.regret).fold(0.0, f64::max);
                }
            }
        }
        steps.sort_by(|a, b| a.regret.total_cmp(&b.regret).then(a.index.cmp(&b.index)));
        self.thin(model, &mut steps);
        steps.truncate(SINGLES);
        steps
    }

    /// Of steps that change the same, a few are as good as thousands, and leave room for others.
    fn thin(&self, model: &CostModel<'_>, steps: &mut Vec<Step>) {
        let mut alike = HashMap::<_, usize>::new();
        steps.retain(|step| {
            let row = model.profile.row(step.index);
            let more = row.load(step.position.into()).minus(row.load(self.choices[step.index].into()));
            let key = (step.server, more.bytes.to_bits(), more.storage.to_bits(), more.trainer.to_bits());
            let seen = alike.entry(key).or_default();
            *seen += 1;
            *seen <= ALIKE
        });
    }
}

/// How far over the bound the resources are: the sum of squares.
fn excess(seconds: &[f64], bound: f64) -> f64 {
    seconds.iter().map(|seconds| (seconds - bound).max(0.0).powi(2)).sum()
}

/// What each step would change, in seconds of each resource.
struct Changes<'s> {
    steps: &'s [Step],
    resources: usize,
    /// `[steps, resources]`.
    seconds: Vec<f64>,
    /// The choice of the step's sample for which `seconds` hold.
    from: Vec<u8>,
}

// === impl Changes ===

impl<'s> Changes<'s> {
    fn new(model: &CostModel<'_>, steps: &'s [Step]) -> Self {
        let resources = model.lines.len();
        // No way has this number, so that all are computed at first.
        Self { steps, resources, seconds: vec![0.0; steps.len() * resources], from: vec![u8::MAX; steps.len()] }
    }

    fn refresh(&mut self, model: &CostModel<'_>, choices: &[u8]) {
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

    fn best_single(&self, now: &[f64], bound: f64) -> Option<(f64, usize)> {
        let excess = |place: usize| {
            let after = now.iter().zip(self.of(place)).map(|(now, more)| (now + more - bound).max(0.0).powi(2));
            (after.sum::<f64>(), place)
        };
        (0..self.steps.len()).map(excess).min_by(|a, b| a.0.total_cmp(&b.0))
    }

    fn best_pair(&self, now: &[f64], bound: f64) -> Option<(f64, usize, usize)> {
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

    fn apply(&self, place: usize, seconds: &mut [f64]) {
        seconds.iter_mut().zip(self.of(place)).for_each(|(seconds, more)| *seconds += more);
    }
}
