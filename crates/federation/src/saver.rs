//! The checkpoint of a run, written while the next round runs.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use crate::checkpoint::Checkpoint;
use crate::checkpoint_error::CheckpointError;
use crate::error::FederationError;

/// Writes a run's checkpoint.
#[derive(Debug)]
pub(crate) struct Saver {
    path: Option<PathBuf>,
    under_way: Option<JoinHandle<Result<(), CheckpointError>>>,
    /// When one was last written that survives a loss of power.
    durable: Option<Instant>,
}

/// How often one is written that survives a loss of power. The others survive the end of the process, which is what
/// happens to tuners; waiting for the disk in each round of a few milliseconds would make it several times as long.
const DURABLE: Duration = Duration::from_secs(1);

// === impl Saver ===

impl Saver {
    /// Writes to this file; without one it writes nothing.
    pub(crate) fn new(path: Option<PathBuf>) -> Self {
        Self { path, under_way: None, durable: None }
    }

    /// Whether there is a file.
    pub(crate) fn keeps(&self) -> bool {
        self.path.is_some()
    }

    /// Where the run's state is, in words.
    pub(crate) fn place(&self) -> String {
        match &self.path {
            Some(path) => format!(": the same command goes on from {}", path.display()),
            None => String::new(),
        }
    }

    /// Begins to write one, once the one before is written.
    ///
    /// # Errors
    /// What kept the one before from being written.
    pub(crate) async fn save(&mut self, checkpoint: Checkpoint) -> Result<(), FederationError> {
        self.finish().await?;
        let Some(path) = self.path.clone() else { return Ok(()) };
        let durable = self.durable.is_none_or(|last| last.elapsed() >= DURABLE);
        if durable {
            self.durable = Some(Instant::now());
        }
        self.under_way = Some(tokio::task::spawn_blocking(move || checkpoint.write(&path, durable)));
        Ok(())
    }

    /// Waits until the last one is written.
    ///
    /// # Errors
    /// What kept it from being written.
    pub(crate) async fn finish(&mut self) -> Result<(), FederationError> {
        let Some(writing) = self.under_way.take() else { return Ok(()) };
        Ok(writing.await.map_err(|_| FederationError::Lost)??)
    }
}
