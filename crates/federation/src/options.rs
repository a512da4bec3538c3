//! How workers train together.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use headwater_client::training_calls::Split;
use headwater_learn::{HeadKind, LearnError, LocalOptions};
use headwater_plan::sync::{Average, Mode, RuleName};
use headwater_types::{DatasetName, ModelName, Seed};

/// How workers train together.
#[derive(Clone, Debug, PartialEq)]
pub struct FederationOptions {
    /// How they wait for each other.
    pub mode: Mode,
    /// Whether a round's exchange runs while the next one's steps are taken.
    pub overlap: bool,
    /// Whose rule gives the steps of `esync`.
    pub rule: RuleName,
    /// ESync's own epsilon, for its own rule.
    pub epsilon: Duration,
    /// Most steps of a worker in a round; `None` for what the rule takes.
    pub max_steps: Option<NonZeroU32>,
    /// How many rounds; of `async`, as many exchanges as there are workers are one.
    pub rounds: u64,
    /// The head.
    pub head: HeadKind,
    /// How each worker steps.
    pub local: Local,
    /// How their ways become one.
    pub combining: Combining,
    /// The dataset's name.
    pub dataset: DatasetName,
    /// The extractor whose features the head takes.
    pub model: ModelName,
    /// How samples are dealt.
    pub split: Split,
    /// The share of samples that is kept from training, 0 to below 1.
    pub held_out: f64,
    /// Of all that is drawn.
    pub seed: Seed,
    /// How many workers have to be there before the first round; the others join when they come.
    pub min_workers: usize,
    /// For how long they are waited for.
    pub wait: Duration,
    /// The file from which a run that was killed goes on; `None` for one that begins anew each time.
    pub checkpoint: Option<PathBuf>,
}

/// How each worker steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Local {
    /// The learning rate of each step.
    pub learning_rate: f32,
    /// How much of the last step's velocity the next one keeps, 0 to below 1. In `sync`, where a worker takes one step
    /// at a time, it is the tuner's.
    pub momentum: f32,
    /// Features of a step.
    pub batch_size: u32,
}

/// How the ways of the workers become one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Combining {
    /// How they are averaged; `None` for normalized where workers have other classes than each other, else samples.
    pub average: Option<Average>,
    /// By what the average is multiplied.
    pub learning_rate: f32,
    /// How much of the last round's movement the next one keeps, 0 to below 1; of `async`, of as many ways as there are
    /// workers.
    pub momentum: f32,
    /// How much of a way is changed for what has happened to the weights meanwhile (`async`); 0 for nothing.
    pub delay_compensation: f32,
    /// How far a worker's weights may move in a round, relative to those that it was given; `None` for a tenth
    /// where workers have other classes than each other, else as far as they like.
    pub drift_limit: Option<f64>,
    /// Whether the steps of `esync` are corrected for what each worker's own data pull to, where those differ.
    pub correct_drift: bool,
}

// === impl FederationOptions ===

impl FederationOptions {
    /// Whether every setting is in its range.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check(&self) -> Result<(), LearnError> {
        let Local { learning_rate, momentum, batch_size } = self.local;
        LocalOptions { learning_rate, momentum, batch_size: batch_size as usize, seed: self.seed }.check()?;
        let Combining { learning_rate, momentum, delay_compensation, drift_limit, .. } = self.combining;
        let share = |value: f32| (0.0..1.0).contains(&value);
        let rate = learning_rate.is_finite() && learning_rate > 0.0;
        let compensation = delay_compensation.is_finite() && delay_compensation >= 0.0;
        let limit = drift_limit.is_none_or(|limit| limit.is_finite() && limit > 0.0);
        let settings = [
            ("global learning rate", f64::from(learning_rate), rate, "a positive number"),
            ("global momentum", momentum.into(), share(momentum), "0 to below 1"),
            ("delay compensation", delay_compensation.into(), compensation, "0 or more"),
            ("drift limit", drift_limit.unwrap_or(1.0), limit, "a positive number"),
            ("rounds", self.rounds as f64, self.rounds > 0, "at least 1"),
        ];
        match settings.into_iter().find(|(_, _, is_good, _)| !is_good) {
            Some((setting, value, _, expected)) => Err(LearnError::Setting { setting, value, expected }),
            None => Ok(()),
        }
    }

    /// The momentum of a worker's own steps: none where it takes one at a time.
    pub(crate) fn local_momentum(&self) -> f32 {
        if self.mode == Mode::Sync { 0.0 } else { self.local.momentum }
    }

    /// Whether steps are corrected for what workers' own data pull to: not where a worker takes one at a time.
    pub(crate) fn corrects_drift(&self) -> bool {
        self.mode == Mode::Esync && self.combining.correct_drift
    }

    /// The momentum of the tuner: in `sync` that of the steps, which are the tuner's then.
    pub(crate) fn global_momentum(&self) -> f32 {
        match self.mode {
            Mode::Sync if self.combining.momentum == 0.0 => self.local.momentum,
            _ => self.combining.momentum,
        }
    }
}
