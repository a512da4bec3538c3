//! Steps that are corrected for what a worker's own data pull to.
//!
//! A worker that has a few classes alone moves, step by step, to weights that know nothing else. The mean gradient of
//! its steps differs from that of all workers by its own data's pull; that difference, known from the rounds before,
//! is taken off each of its next steps (SCAFFOLD: Karimireddy et al., ICML 2020). The worker adds what it is given and
//! keeps nothing: what each worker's gradient is follows from its way, here.

use std::collections::BTreeMap;

use crate::averaging::{Contribution, effective_steps};
use crate::parameters::Parameters;

/// The weight of the newest round in a worker's gradient: with all of it, steps swing from round to round.
const NEWEST: f32 = 0.5;

/// The gradients of workers, as their ways tell.
#[derive(Clone, Debug)]
pub struct Corrections {
    of_workers: BTreeMap<usize, Known>,
    learning_rate: f32,
    momentum: f32,
}

#[derive(Clone, Debug)]
struct Known {
    gradient: Parameters,
    holds: u64,
}

// === impl Corrections ===

impl Corrections {
    /// Of workers that step at this rate, with this momentum; nothing is known of them yet.
    pub fn new(learning_rate: f32, momentum: f32) -> Self {
        Self { of_workers: BTreeMap::new(), learning_rate, momentum }
    }

    /// What these workers are to add to the gradient of each step: the mean gradient of all, by the features that they
    /// have, less their own. `None` for one of which nothing is known.
    pub fn of(&self, workers: &[usize]) -> Vec<Option<Parameters>> {
        let all: u64 = self.of_workers.values().map(|known| known.holds).sum();
        let first = self.of_workers.values().next();
        let Some(mut mean) = first.map(|known| Parameters::zeros(known.gradient.len())) else {
            return vec![None; workers.len()];
        };
        for known in self.of_workers.values() {
            mean.add_scaled(&known.gradient, (known.holds as f64 / all.max(1) as f64) as f32);
        }
        let own = |worker: &usize| Some(mean.since(&self.of_workers.get(worker)?.gradient));
        workers.iter().map(own).collect()
    }

    /// Learns a worker's gradient from its way, which it made with this correction.
    pub fn learn(&mut self, worker: usize, came: &Contribution<'_>, correction: Option<&Parameters>) {
        let gradients = effective_steps(came.steps, self.momentum) * f64::from(self.learning_rate);
        let mut newest = came.way.clone();
        newest.scale((-1.0 / gradients.max(f64::MIN_POSITIVE)) as f32);
        if let Some(correction) = correction {
            newest.add_scaled(correction, -1.0);
        }
        let fresh = || Known { gradient: Parameters::zeros(came.way.len()), holds: 0 };
        let known = self.of_workers.entry(worker).or_insert_with(fresh);
        known.holds = came.holds;
        known.gradient.scale(1.0 - NEWEST);
        known.gradient.add_scaled(&newest, NEWEST);
    }

    /// Forgets a worker that takes part no more.
    pub fn forget(&mut self, worker: usize) {
        self.of_workers.remove(&worker);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A worker whose loss is half of the squared distance from `home`, in one dimension.
    fn way(home: f32, from: f32, steps: u32, rate: f32, correction: f32) -> Parameters {
        let mut weight = from;
        for _ in 0..steps {
            weight -= rate * (weight - home + correction);
        }
        Parameters::new(vec![weight - from])
    }

    /// Where two workers end that pull to -1 and to 3 and take other numbers of steps, the slow one with three times
    /// the features: the least of all losses together is at 2.
    fn end(is_corrected: bool) -> f32 {
        let (mut corrections, mut weight) = (Corrections::new(0.1, 0.0), 0.0_f32);
        for _ in 0..200 {
            let given = if is_corrected { corrections.of(&[0, 1]) } else { vec![None, None] };
            let of = |worker: usize| given[worker].as_ref().map_or(0.0, |given| given.values()[0]);
            let ways = [way(-1.0, weight, 20, 0.1, of(0)), way(3.0, weight, 2, 0.1, of(1))];
            let came = |worker: usize, steps, holds| Contribution { way: &ways[worker], steps, samples: 0, holds };
            let came = [came(0, 20, 100), came(1, 2, 300)];
            for worker in [0, 1] {
                corrections.learn(worker, &came[worker], given[worker].as_ref());
            }
            weight += crate::average(&came, crate::Averaging::Normalized, 0.0).values()[0];
        }
        weight
    }

    #[test]
    fn corrected_steps_lead_to_the_least_of_all_losses_together() {
        assert!((end(true) - 2.0).abs() < 0.01, "{}", end(true));
        assert!((end(false) - 2.0).abs() > 0.2, "{}", end(false));
    }

    #[test]
    fn corrections_cancel_out_and_nothing_is_known_at_first() {
        let mut corrections = Corrections::new(0.5, 0.0);
        assert_eq!(corrections.of(&[0, 1]), [None, None]);
        let ways = [Parameters::new(vec![-1.0, 0.0]), Parameters::new(vec![0.0, -2.0])];
        for (worker, way) in ways.iter().enumerate() {
            corrections.learn(worker, &Contribution { way, steps: 2, samples: 0, holds: 10 }, None);
        }
        let of = corrections.of(&[0, 1, 2]);
        // Half of the gradients (1, 0) and (0, 2), since they are new; the mean is (0.25, 0.5).
        assert_eq!(of[0].as_ref().map(Parameters::values), Some(&[-0.25, 0.5][..]));
        assert_eq!(of[1].as_ref().map(Parameters::values), Some(&[0.25, -0.5][..]));
        assert_eq!(of[2], None);
        corrections.forget(1);
        assert_eq!(corrections.of(&[0])[0].as_ref().map(Parameters::values), Some(&[0.0, 0.0][..]));
    }
}
