//! The lines of a log.

use serde::{Deserialize, Serialize};

use super::super::mode::{Average, Mode, RuleName};
use super::split::SplitName;

/// The version of the form that is written and read here.
pub const FORMAT: u32 = 1;

/// A line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A run begins, or goes on.
    Run(Run),
    /// A round has ended; in `async` an exchange was applied.
    Round(Round),
    /// The weights were evaluated.
    Accuracy(Accuracy),
    /// A worker was lost, is back, or was refused.
    Worker(WorkerChange),
    /// The run has ended.
    End(End),
}

/// How a run was started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// [`FORMAT`].
    pub format: u32,
    /// How the workers train together.
    pub mode: Mode,
    /// Whether the exchange of a round runs while the steps of the next are made.
    pub overlap: bool,
    /// Whose rule gives the local steps.
    pub sync_rule: RuleName,
    /// How weights become one.
    pub average: Average,
    /// The dataset's name.
    pub dataset: String,
    /// How its samples are dealt.
    pub split: SplitName,
    /// The head's kind.
    pub head: String,
    /// Classes of the head.
    pub classes: usize,
    /// Samples of a local step.
    pub batch_size: usize,
    /// Of the workers' optimiser.
    pub local_learning_rate: f64,
    /// Of the coordinator.
    pub global_learning_rate: f64,
    /// Of all randomness.
    pub seed: u64,
    /// Bytes of the weights, once.
    pub model_bytes: u64,
    /// The workers, by number.
    pub workers: Vec<Worker>,
    /// The last round that is kept of the part before; `None` where the run begins here.
    pub resumed_from: Option<u64>,
}

/// A worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Worker {
    /// Its address.
    pub name: String,
    /// The samples that it holds.
    pub samples: u64,
    /// Of these, how many each class has.
    pub labels: Vec<u64>,
    /// How many times slower it pretends to be; 1 where it does not.
    pub slowdown: f64,
}

/// A round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Round {
    /// Its number, from 1.
    pub round: u64,
    /// The version of the weights that it made.
    pub version: u64,
    /// H of the plan.
    pub local_steps_of_slowest: u32,
    /// The part of the workers' time in local steps that the plan has promised; `None` where nothing was known yet.
    #[serde(default)]
    pub planned_utilisation: Option<f64>,
    /// When it began.
    pub begin_seconds: f64,
    /// When its weights were there.
    pub end_seconds: f64,
    /// The parts of the workers. In `async` one.
    pub workers: Vec<WorkerRound>,
}

/// A worker's part of a round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkerRound {
    /// The worker's number.
    pub worker: usize,
    /// What became of its part.
    pub outcome: Outcome,
    /// Local steps.
    pub steps: u32,
    /// Samples that these have seen.
    pub samples: u64,
    /// How many versions old the weights were that it began with.
    pub staleness: u64,
    /// Seconds in local steps.
    pub compute_seconds: f64,
    /// Seconds in the exchange.
    pub communication_seconds: f64,
    /// Seconds without work.
    pub waiting_seconds: f64,
    /// Bytes that the worker has sent.
    pub bytes_sent: u64,
    /// Bytes that it was sent.
    pub bytes_received: u64,
}

/// What became of a worker's part of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is in the weights.
    Counted,
    /// It came behind the deadline, and counts in a later round.
    Late,
    /// The same, and its last way counts again in its place, since nobody else has its data.
    StoodIn,
    /// The worker was lost meanwhile.
    Lost,
    /// It was refused: no numbers, another shape, or too old.
    Refused,
    /// The worker was not asked.
    Away,
}

/// Weights, evaluated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Accuracy {
    /// The round that made the weights; 0 before the first.
    pub round: u64,
    /// Their version.
    pub version: u64,
    /// When they were there.
    pub at_seconds: f64,
    /// Samples that all workers together had seen.
    pub samples_trained: u64,
    /// The part of the samples whose label was found, from 0 to 1.
    pub top1: f64,
    /// The mean loss; `None` where it is no number.
    pub loss: Option<f64>,
    /// The samples that were looked at.
    pub samples: u64,
}

/// Something has happened to a worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkerChange {
    /// The worker's number.
    pub worker: usize,
    /// When.
    pub at_seconds: f64,
    /// What.
    pub state: WorkerState,
    /// Why, in words.
    pub reason: String,
}

/// What has happened to a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorkerState {
    /// It does not answer.
    Lost,
    /// It answers again.
    Back,
    /// What it sent was refused.
    Refused,
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// The last round.
    pub rounds: u64,
    /// How long the run's part took.
    pub seconds: f64,
    /// Why it ended.
    pub outcome: EndOutcome,
    /// The last accuracy; `None` where nothing was evaluated.
    pub top1: Option<f64>,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndOutcome {
    /// All rounds were made.
    Done,
    /// It was stopped.
    Stopped,
    /// The accuracy that was wanted was there.
    Target,
}
