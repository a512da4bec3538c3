//! A connection to a server of a training, which is waited for no longer than its silence may last.

use std::time::Duration;

use tokio::time::timeout;

use super::trouble::{SILENCE, TrainingError, away};
use crate::connection::{Client, Server};
use crate::trouble::Trouble;

/// A connection.
pub(super) async fn connect(server: &Server) -> Result<Client, TrainingError> {
    let client = within(SILENCE, "connecting", server.connect()).await?;
    client.map_err(|trouble| match trouble {
        Trouble::Lasting(error) => TrainingError::Refused(error),
        passing => away(passing.to_string()),
    })
}

/// What comes within a time.
pub(super) async fn within<T>(most: Duration, what: &str, of: impl Future<Output = T>) -> Result<T, TrainingError> {
    let silent = |_| away(format!("nothing was heard of it for {} s, {what}", most.as_secs()));
    timeout(most, of).await.map_err(silent)
}
