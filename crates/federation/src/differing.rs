//! What is done where workers have other classes than each other, so that all together learn all of them.
//!
//! Each step is corrected for what the worker's own data pull to ([`Corrections`]). And where a worker is late its last
//! way stands in for it: a round without it forgets its classes, and accuracy falls by several points until it is back.
//! The last way is about what it would have sent (MIFA: Gu et al., NeurIPS 2021), for the few rounds that a machine's
//! hiccup takes; after more of them it has gone too far in one direction.

use std::collections::BTreeMap;

use headwater_learn::{Corrections, Parameters};

use crate::options::FederationOptions;
use crate::weights::Brought;

/// What is known of workers whose data differ.
#[derive(Clone, Debug)]
pub(crate) struct Differing {
    corrections: Option<Corrections>,
    /// The last way of each, and how often it has stood in.
    last: BTreeMap<usize, (Brought, u32)>,
}

/// Rounds in which one way stands in: several, since a hiccup is longer than a round of a fast cluster.
const MOST_ROUNDS: u32 = 8;

// === impl Differing ===

impl Differing {
    /// Nothing is known yet.
    pub(crate) fn new(options: &FederationOptions) -> Self {
        let known = || Corrections::new(options.local.learning_rate, options.local_momentum());
        Self { corrections: options.corrects_drift().then(known), last: BTreeMap::new() }
    }

    /// What each of these workers is to add to the gradient of each step.
    pub(crate) fn corrections(&self, workers: &[usize]) -> Vec<Option<Parameters>> {
        self.corrections.as_ref().map_or_else(Vec::new, |known| known.of(workers))
    }

    /// Takes in what a worker has brought, which it made with this correction.
    pub(crate) fn take_in(&mut self, brought: &Brought, correction: Option<&Parameters>) {
        if let Some(known) = &mut self.corrections {
            known.learn(brought.worker, &brought.contribution(), correction);
        }
        // Its samples are counted already.
        self.last.insert(brought.worker, (Brought { samples: 0, ..brought.clone() }, 0));
    }

    /// What stands in for a worker that is late.
    pub(crate) fn stand_in(&mut self, worker: usize) -> Option<Brought> {
        let (way, rounds) = self.last.get_mut(&worker).filter(|(_, rounds)| *rounds < MOST_ROUNDS)?;
        *rounds += 1;
        Some(way.clone())
    }

    /// A worker takes part no more.
    pub(crate) fn forget(&mut self, worker: usize) {
        self.last.remove(&worker);
        self.corrections.iter_mut().for_each(|known| known.forget(worker));
    }
}

#[cfg(test)]
mod tests {
    use headwater_plan::sync::Mode;

    use super::*;
    use crate::weights::tests::options;

    #[test]
    fn a_way_stands_in_for_some_rounds_and_its_samples_count_once() {
        let mut differing = Differing::new(&options(Mode::Esync));
        let brought =
            |value: f32| Brought { worker: 2, way: Parameters::new(vec![value]), steps: 3, samples: 24, holds: 80 };
        differing.take_in(&brought(1.0), None);
        differing.take_in(&brought(2.0), None);
        let stands = differing.stand_in(2).unwrap();
        assert_eq!((stands.way.values(), stands.steps, stands.samples), (&[2.0][..], 3, 0));
        assert!((1..MOST_ROUNDS).all(|_| differing.stand_in(2).is_some()));
        assert!(differing.stand_in(2).is_none() && differing.stand_in(1).is_none());
        differing.take_in(&brought(3.0), None);
        differing.forget(2);
        assert!(differing.stand_in(2).is_none() && differing.corrections(&[2]) == [None]);
    }

    #[test]
    fn steps_are_corrected_in_esync_alone_and_where_it_is_wanted() {
        let corrects = |mode, corrects_drift| {
            let mut options = options(mode);
            options.combining.correct_drift = corrects_drift;
            options.corrects_drift()
        };
        assert!(corrects(Mode::Esync, true) && !corrects(Mode::Esync, false) && !corrects(Mode::Sync, true));
    }
}
