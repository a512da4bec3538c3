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
    fn contribution(&self) -> Contribution<'_> {
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
