//! How to train: every setting, its default, and why.

use headwater_types::Seed;

use crate::error::LearnError;

/// Settings of one training, that is, of one run of fine-tuning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrainOptions {
    /// Length of the schedule, in passes over the training set.
    pub epochs: u32,
    /// Samples of one step; by default the set's size decides: [`TrainOptions::batch_size_for`].
    pub batch_size: Option<usize>,
    /// Peak learning rate of AdamW.
    pub learning_rate: f32,
    /// Weight decay of AdamW: each step, weights lose `learning_rate * weight_decay` of themselves.
    pub weight_decay: f32,
    /// Share of the schedule over which the learning rate rises to its peak, 0 to below 1.
    pub warmup: f32,
    /// Share of each target that is spread evenly over all classes, 0 to below 1.
    pub label_smoothing: f32,
    /// Epochs without a better validation loss after which to stop. Without validation samples, training goes on to the
    /// schedule's end.
    pub patience: u32,
    /// The seed of the samples' order.
    pub seed: Seed,
}

/// Batches of a large set, large enough for the matrix product; of a small one, below which gradients are mostly noise;
/// and steps in an epoch of any set between, so that a run of a hundred photos trains as long as one of a thousand.
const LARGEST_BATCH: usize = 64;
const SMALLEST_BATCH: usize = 8;
const STEPS_PER_EPOCH: usize = 16;

// === impl TrainOptions ===

impl TrainOptions {
    /// Samples of one step on a training set of `samples`: as set, or a 16th of it, but 8 to 64; never more than there
    /// are.
    pub fn batch_size_for(&self, samples: usize) -> usize {
        let by_default = || (samples / STEPS_PER_EPOCH).clamp(SMALLEST_BATCH, LARGEST_BATCH);
        self.batch_size.unwrap_or_else(by_default).min(samples)
    }

    /// Whether every setting is in its range.
    pub fn check(&self) -> Result<(), LearnError> {
        let share = |value: f32| (0.0..1.0).contains(&value);
        let positive = |value: f32| value.is_finite() && value > 0.0;
        let at_least_one = "at least 1";
        let settings = [
            ("epochs", f64::from(self.epochs), self.epochs > 0, at_least_one),
            ("batch size", self.batch_size.unwrap_or(1) as f64, self.batch_size != Some(0), at_least_one),
            ("learning rate", self.learning_rate.into(), positive(self.learning_rate), "a positive number"),
            (
                "weight decay",
                self.weight_decay.into(),
                (0.0..=1.0).contains(&(self.weight_decay * self.learning_rate)),
                "0 or more, and at most 1 / learning rate",
            ),
            ("warm-up", self.warmup.into(), share(self.warmup), "0 to below 1"),
            ("label smoothing", self.label_smoothing.into(), share(self.label_smoothing), "0 to below 1"),
            ("patience", f64::from(self.patience), self.patience > 0, at_least_one),
        ];
        match settings.into_iter().find(|(_, _, is_good, _)| !is_good) {
            Some((setting, value, _, expected)) => Err(LearnError::Setting { setting, value, expected }),
            None => Ok(()),
        }
    }
}

/// Found on features of two MobileNets over three photo sets of 42 to 1192 photos, as values around which nothing
/// changes: half or twice of any moves top-1 by less than the seeds do.
impl Default for TrainOptions {
    fn default() -> Self {
        Self {
            // At least 200 steps, which a softmax head wants. Large sets stop early.
            epochs: 40,
            batch_size: None,
            learning_rate: 2e-3,
            // Without effect over a few hundred steps; over many, it keeps the weights of separable classes from
            // growing without end.
            weight_decay: 0.1,
            warmup: 0.05,
            // It makes a head less sure of itself, and not more often right.
            label_smoothing: 0.0,
            patience: 10,
            seed: Seed(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_grow_with_the_set_unless_they_are_set() {
        let options = TrainOptions::default();
        let sizes = [1, 34, 320, 10_000].map(|samples| options.batch_size_for(samples));
        assert_eq!(sizes, [1, 8, 20, 64]);
        let options = TrainOptions { batch_size: Some(256), ..options };
        assert_eq!([100, 1_000].map(|samples| options.batch_size_for(samples)), [100, 256]);
    }

    #[test]
    fn the_defaults_are_in_range_and_nonsense_is_refused_by_name() {
        let good = TrainOptions::default();
        assert_eq!(good.check(), Ok(()));
        let bad = [
            ("epochs", TrainOptions { epochs: 0, ..good }),
            ("batch size", TrainOptions { batch_size: Some(0), ..good }),
            ("learning rate", TrainOptions { learning_rate: f32::NAN, ..good }),
            ("learning rate", TrainOptions { learning_rate: -1.0, ..good }),
            ("weight decay", TrainOptions { weight_decay: 1e9, ..good }),
            ("weight decay", TrainOptions { weight_decay: -0.1, ..good }),
            ("warm-up", TrainOptions { warmup: 1.0, ..good }),
            ("label smoothing", TrainOptions { label_smoothing: 1.5, ..good }),
            ("patience", TrainOptions { patience: 0, ..good }),
        ];
        for (name, options) in bad {
            let refused = options.check();
            assert!(
                matches!(refused, Err(LearnError::Setting { setting, .. }) if setting == name),
                "{name}: {refused:?}"
            );
        }
    }
}
