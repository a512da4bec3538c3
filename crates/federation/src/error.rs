//! Why a head could not be trained by several workers.

use std::time::Duration;

use headwater_client::ClientError;
use headwater_learn::LearnError;

use crate::checkpoint_error::CheckpointError;

/// Why a head could not be trained by several workers. What happens to one of them is never here.
#[derive(Debug, thiserror::Error)]
pub enum FederationError {
    /// The caller asked for a stop.
    #[error("stopped after round {round}{kept}")]
    Stopped {
        /// The last round.
        round: u64,
        /// Where its weights are, in words.
        kept: String,
    },
    /// An address cannot be one.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Settings that no training can have, or weights that are no numbers any more.
    #[error(transparent)]
    Learn(#[from] LearnError),
    /// The checkpoint cannot be read or written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Too few workers came.
    #[error(
        "{came} of {wanted} workers are there, and nothing was heard of the others for {} s ({why}): start them, or \
         begin with fewer (--min-workers)",
        waited.as_secs()
    )]
    TooFew {
        /// Those that came.
        came: usize,
        /// How many there have to be.
        wanted: usize,
        /// For how long they were waited for.
        waited: Duration,
        /// What is the matter with the others.
        why: String,
    },
    /// No worker is left that could come back.
    #[error("every worker was refused: {why}")]
    AllRefused {
        /// Why.
        why: String,
    },
    /// Two workers have the same samples.
    #[error(
        "{first} and {second} serve the same photos, which would count twice: start each with a part of its own \
         (--partition K/N), deal them (--split iid), or name one"
    )]
    Overlap {
        /// One of them.
        first: String,
        /// The other.
        second: String,
    },
    /// Workers have different models, recipes or lengths of features.
    #[error("{first} and {second} have different features: register the same model with the same recipe on both")]
    Differ {
        /// One of them.
        first: String,
        /// The other.
        second: String,
    },
    /// There is nothing to tell apart.
    #[error("the labels of all workers are of {classes} class(es): a head needs at least 2")]
    TooFewClasses {
        /// How many there are.
        classes: usize,
    },
    /// The weights are no numbers any more.
    #[error(
        "the weights are no numbers any more after round {round}: lower --local-lr (it was {learning_rate}) or \
         --global-lr"
    )]
    Diverged {
        /// The round.
        round: u64,
        /// The workers' learning rate.
        learning_rate: f32,
    },
    /// The log of the run cannot be written.
    #[error("--run-log: {0}")]
    Log(std::io::Error),
    /// A task ended in a way that it cannot.
    #[error("a task ended badly: please report it")]
    Lost,
}
