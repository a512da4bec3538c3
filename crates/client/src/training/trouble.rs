//! Why a server of a training did not do what it was asked.

use std::time::Duration;

use crate::error::ClientError;

/// Why a server of a training did not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TrainingError {
    /// It is away, or has lost the training: it may come back.
    #[error("{0}")]
    Away(String),
    /// It refuses: asking again changes nothing.
    #[error("{0}")]
    Refused(ClientError),
}

/// The longest silence of a server that gives a sign of life twice a second. It is one that a busy machine may have,
/// and that whoever waits for the others can bear.
pub const SILENCE: Duration = Duration::from_secs(2);

pub(super) fn away(why: impl Into<String>) -> TrainingError {
    TrainingError::Away(why.into())
}
