//! Classifier heads over features, and how they are trained.
//!
//! In the order in which data passes: a sample belongs to a run ([`runs`]) and to the training or the validation split
//! ([`split`]); its feature joins a set ([`features`]), bounded in memory ([`replay`]), whose mean and spread are known
//! ([`moments`]); a [`head`] is trained on it ([`trainer`]) and judged ([`metrics`]). Where several workers train one
//! head, each takes some steps ([`LocalTrainer`]), and their weights ([`Parameters`]) are averaged ([`average`]) or
//! applied one by one ([`DelayedNesterov`]).
//!
//! Invariant: pure functions of their arguments. Nothing here reads a file, a clock or ambient randomness, or starts a
//! thread; the same arguments give the same bits on the same machine. (On another machine the last bits may differ: the
//! matrix product picks its kernel by what the CPU can do.)

pub mod error;

mod random;

pub mod runs;
pub mod split;

pub mod features;
pub mod moments;
pub mod replay;

mod network;
mod softmax;
mod standardization;

pub mod head;
pub mod metrics;

mod adamw;

pub mod options;
pub mod schedule;
pub mod trainer;

mod parameters;

mod local;

mod averaging;
mod corrections;
mod delayed;

pub use averaging::{Averaging, Contribution, average};
pub use corrections::Corrections;
pub use delayed::{DelayedNesterov, compensate};
pub use error::LearnError;
pub use features::FeatureSet;
pub use head::{Dense, Head, HeadKind, HeadWeights};
pub use local::{LocalOptions, LocalTrainer, LocalUpdate};
pub use metrics::{ClassMetrics, Metrics, Score};
pub use moments::Moments;
pub use options::TrainOptions;
pub use parameters::Parameters;
pub use replay::Replay;
pub use runs::Runs;
pub use split::in_validation;
pub use trainer::{EpochReport, StepReport, Trainer, Verdict};
