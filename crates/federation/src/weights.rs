//! The weights of all, and how they move.

use bytes::Bytes;
use headwater_client::Came;
use headwater_learn::{Averaging, Contribution, DelayedNesterov, Parameters, average, compensate};
use headwater_plan::sync::Average;

use crate::options::FederationOptions;

/// The weights of all in their versions.
#[derive(Clone, Debug)]
pub(crate) struct Weights {
    pub(crate) values: Parameters,
    pub(crate) version: u64,
    /// Of the tuner's own momentum.
    pub(crate) velocity: Parameters,
    /// Of `async`.
    pub(crate) outer: DelayedNesterov,
    pub(crate) samples_trained: u64,
}

/// A way that is in order.
#[derive(Clone, Debug)]
pub(crate) struct Brought {
    pub(crate) worker: usize,
    pub(crate) way: Parameters,
    pub(crate) steps: u32,
    pub(crate) samples: u64,
    pub(crate) holds: u64,
}

// === impl Brought ===

impl Brought {
    pub(crate) fn contribution(&self) -> Contribution<'_> {
        let Self { way, steps, samples, holds, .. } = self;
        Contribution { way, steps: *steps, samples: *samples, holds: *holds }
    }
}

// === impl Weights ===

impl Weights {
    pub(crate) fn new(values: Parameters, options: &FederationOptions) -> Self {
        let (len, momentum) = (values.len(), options.global_momentum());
        let outer = DelayedNesterov::new(len, momentum, options.combining.learning_rate);
        Self { values, version: 0, velocity: Parameters::zeros(len), outer, samples_trained: 0 }
    }

    /// As they travel.
    pub(crate) fn bytes(&self) -> Bytes {
        self.values.to_bytes().into()
    }

    /// Checks what a worker has sent for an order of this round.
    ///
    /// # Errors
    /// In words: another round, another shape, numbers that are none.
    pub(crate) fn check(&self, came: &Came, round: u64, steps: u32) -> Result<Parameters, String> {
        let trained = &came.trained;
        if trained.round != round {
            return Err(format!("it sent steps of round {}, and round {round} was asked for", trained.round));
        }
        if trained.steps == 0 || trained.steps > steps {
            return Err(format!("it sent {} steps, and {steps} were asked for", trained.steps));
        }
        let way = Parameters::from_bytes(&came.way).filter(|way| way.len() == self.values.len());
        let way = way.ok_or_else(|| {
            format!("it sent {} bytes, and the head has {} weights of 4", came.way.len(), self.values.len())
        })?;
        match way.is_finite() {
            true => Ok(way),
            false => Err("it sent weights that are no numbers: lower --local-lr".to_owned()),
        }
    }

    /// Moves by the average of these ways.
    pub(crate) fn average(&mut self, brought: &[Brought], by: Average, options: &FederationOptions) {
        if brought.is_empty() {
            return;
        }
        let averaging = match by {
            Average::Normalized => Averaging::Normalized,
            Average::Samples => Averaging::Samples,
            Average::Uniform => Averaging::Uniform,
        };
        let contributions: Vec<_> = brought.iter().map(Brought::contribution).collect();
        let mut way = average(&contributions, averaging, options.local_momentum());
        let momentum = options.global_momentum();
        if momentum > 0.0 {
            self.velocity.scale(momentum);
            self.velocity.add_scaled(&way, 1.0);
            way = self.velocity.clone();
        }
        self.values.add_scaled(&way, options.combining.learning_rate);
        self.samples_trained += brought.iter().map(|one| one.samples).sum::<u64>();
        self.version += 1;
    }

    /// Moves by one way, which was made from the weights `base`, where so many workers take part.
    pub(crate) fn apply(
        &mut self,
        mut brought: Brought,
        base: &Parameters,
        workers: usize,
        options: &FederationOptions,
    ) {
        let strength = options.combining.delay_compensation;
        if strength > 0.0 {
            compensate(&mut brought.way, base, &self.values, strength / options.local.learning_rate);
        }
        self.outer.apply(&mut self.values, &brought.way, workers);
        self.samples_trained += brought.samples;
        self.version += 1;
    }

    /// How far the farthest of these ways goes, relative to the weights.
    pub(crate) fn drift(&self, brought: &[Brought]) -> f64 {
        let farthest = brought.iter().map(|one| one.way.norm()).fold(0.0, f64::max);
        farthest / self.values.norm().max(f64::MIN_POSITIVE)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use headwater_client::training_calls::{Announced, Split, Trained};
    use headwater_learn::HeadKind;
    use headwater_plan::sync::{Mode, RuleName};
    use headwater_types::Seed;

    use super::*;
    use crate::options::{Combining, Local};

    pub(crate) fn options(mode: Mode) -> FederationOptions {
        FederationOptions {
            mode,
            overlap: false,
            rule: RuleName::Headwater,
            epsilon: Duration::from_millis(500),
            max_steps: None,
            rounds: 10,
            head: HeadKind::Softmax,
            local: Local { learning_rate: 0.1, momentum: 0.5, batch_size: 8 },
            combining: Combining {
                average: None,
                learning_rate: 1.0,
                momentum: 0.0,
                delay_compensation: 0.0,
                drift_limit: None,
                correct_drift: true,
            },
            dataset: "photos".parse().unwrap(),
            model: "m".parse().unwrap(),
            split: Split::Held,
            held_out: 0.2,
            seed: Seed(1),
            min_workers: 1,
            wait: Duration::from_secs(1),
            checkpoint: None,
        }
    }

    fn came(round: u64, steps: u32, way: &[f32]) -> Came {
        let way: bytes::Bytes = Parameters::new(way.to_vec()).to_bytes().into();
        let (compute, queued) = (Duration::ZERO, Duration::ZERO);
        let trained = Trained { round, steps, samples: 8, loss: 1.0, compute, queued, way: Announced::of(&way) };
        Came { trained, way, exchange: Duration::ZERO }
    }

    #[test]
    fn what_cannot_be_right_moves_no_weight_and_is_said() {
        let weights = Weights::new(Parameters::zeros(2), &options(Mode::Esync));
        assert_eq!(weights.check(&came(3, 2, &[1.0, 2.0]), 3, 2), Ok(Parameters::new(vec![1.0, 2.0])));
        for (wrong, words) in [
            (came(2, 2, &[1.0, 2.0]), "of round 2, and round 3"),
            (came(3, 3, &[1.0, 2.0]), "3 steps, and 2"),
            (came(3, 0, &[1.0, 2.0]), "0 steps"),
            (came(3, 2, &[1.0]), "4 bytes, and the head has 2 weights"),
            (came(3, 2, &[1.0, f32::NAN]), "no numbers"),
            (came(3, 2, &[1.0, f32::INFINITY]), "no numbers"),
        ] {
            let said = weights.check(&wrong, 3, 2).unwrap_err();
            assert!(said.contains(words), "{words}: {said}");
        }
    }

    #[test]
    fn momentum_is_the_tuners_in_sync_and_the_workers_else() {
        let brought = |way: f32| {
            let way = Parameters::new(vec![way]);
            [Brought { worker: 0, way, steps: 1, samples: 8, holds: 80 }]
        };
        let moved = |mode: Mode| {
            let options = options(mode);
            let mut weights = Weights::new(Parameters::zeros(1), &options);
            weights.average(&brought(1.0), Average::Samples, &options);
            weights.average(&brought(1.0), Average::Samples, &options);
            (weights.values.values()[0], weights.version, weights.samples_trained)
        };
        assert_eq!(moved(Mode::Sync), (2.5, 2, 16));
        assert_eq!(moved(Mode::Esync), (2.0, 2, 16));
    }
}
