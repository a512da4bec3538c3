//! The last ways of workers, which stand in for them where they are late.
//!
//! Where workers have other classes than each other, a round without one of them forgets its classes, and the next one
//! learns them again: accuracy falls by several points for a round. A late worker's last way is about what it would have
//! sent (MIFA: Gu et al., Fast Federated Learning in the Presence of Arbitrary Device Unavailability, NeurIPS 2021). It
//! counts once more and no oftener: the next thing that comes of that worker is newer.

use std::collections::BTreeMap;

use crate::weights::Brought;

/// The last way of each worker that has not stood in yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct StandIns(BTreeMap<usize, Brought>);

// === impl StandIns ===

impl StandIns {
    /// Keeps what came in a round.
    pub(crate) fn keep(&mut self, brought: &[Brought]) {
        for one in brought {
            // Its samples are counted already.
            self.0.insert(one.worker, Brought { samples: 0, ..one.clone() });
        }
    }

    /// What stands in for a worker that is late.
    pub(crate) fn take(&mut self, worker: usize) -> Option<Brought> {
        self.0.remove(&worker)
    }
}

#[cfg(test)]
mod tests {
    use headwater_learn::Parameters;

    use super::*;

    #[test]
    fn a_way_stands_in_once_until_a_newer_one_comes_and_its_samples_count_once() {
        let mut stand_ins = StandIns::default();
        let brought =
            |value: f32| [Brought { worker: 2, way: Parameters::new(vec![value]), steps: 3, samples: 24, holds: 80 }];
        stand_ins.keep(&brought(1.0));
        stand_ins.keep(&brought(2.0));
        let stands = stand_ins.take(2).unwrap();
        assert_eq!((stands.way.values(), stands.steps, stands.samples), (&[2.0][..], 3, 0));
        assert!(stand_ins.take(2).is_none() && stand_ins.take(1).is_none());
    }
}
