//! NDPipe's pipeline (ASPLOS 2024, section 5): run k+1 is extracted while run k is trained on.
//!
//! ```text
//! servers   | extract 1 | extract 2 | extract 3 |
//! this side |           |  train 1  |  train 2  |  train 3  |
//! ```
//!
//! At most two runs are held besides the replay memory: one that is trained on, and one that is extracted or waits. The
//! result does not depend on who is faster: a run's features are always taken in the same order, and runs one after the
//! other.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use headwater_learn::Runs;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::error::TrainingError;
use crate::gathered::Gathered;
use crate::learner::{Learner, Trained};
use crate::milestone::{Listener, Milestone};
use crate::options::TrainingOptions;
use crate::source::FeatureSource;

/// How far an extraction and a training have come.
#[derive(Debug, Default)]
struct Tally {
    /// Samples of runs that were extracted.
    extracted: AtomicU64,
    /// Runs that were trained on.
    trained: AtomicU32,
}

/// What extraction and training share.
struct Training<'a> {
    source: &'a FeatureSource,
    runs: &'a Runs,
    options: TrainingOptions,
    listener: Listener,
    stop: &'a CancellationToken,
    tally: Arc<Tally>,
}

/// Trains a head on all runs. After `stop`, ends within the time of a training step.
///
/// # Errors
/// [`TrainingError`]: features do not come, there is nothing to learn from, or `stop` was cancelled.
pub async fn train(
    source: &FeatureSource,
    runs: &Runs,
    options: TrainingOptions,
    listener: Listener,
    stop: &CancellationToken,
) -> Result<Trained, TrainingError> {
    let tally = Arc::new(Tally::default());
    let training = Training { source, runs, options, listener, stop, tally: Arc::clone(&tally) };
    training.run().await.map_err(|error| match error {
        TrainingError::Stopped => TrainingError::Interrupted {
            trained: tally.trained.load(Relaxed),
            runs: runs.count(),
            extracted: tally.extracted.load(Relaxed),
            samples: source.provenance().samples,
        },
        error => error,
    })
}

// === impl Training ===

impl Training<'_> {
    /// Extracts and trains, run by run.
    async fn run(self) -> Result<Trained, TrainingError> {
        let learner = Learner::new(self.source.provenance(), self.options)?;
        let (sender, receiver) = mpsc::channel(1);
        let mut learning = tokio::task::spawn_blocking(self.learning(learner, receiver));
        // Training that fails must not wait for an extraction of hours: whichever ends in an error ends both.
        let mut extracting = Box::pin(self.extract(sender));
        let extracted = tokio::select! {
            extracted = &mut extracting => extracted,
            trained = &mut learning => return trained?,
        };
        extracted?;
        self.stop.run_until_cancelled(learning).await.ok_or(TrainingError::Stopped)??
    }

    /// What learns from each run as it comes. It belongs on a thread of its own.
    fn learning(
        &self,
        mut learner: Learner,
        mut runs: mpsc::Receiver<Gathered>,
    ) -> impl FnOnce() -> Result<Trained, TrainingError> + Send + use<> {
        let (stop, tally, listener) = (self.stop.clone(), Arc::clone(&self.tally), Arc::clone(&self.listener));
        move || {
            while let Some(run) = runs.blocking_recv() {
                learner.learn(run, &listener, &|| stop.is_cancelled())?;
                tally.trained.fetch_add(1, Relaxed);
            }
            if stop.is_cancelled() { Err(TrainingError::Stopped) } else { learner.finish() }
        }
    }

    /// Gathers one run after the other.
    async fn extract(&self, sender: mpsc::Sender<Gathered>) -> Result<(), TrainingError> {
        for run in 0..self.runs.count() {
            // Room first, so that no third run is begun while one waits. An error: training ended, and says why.
            let Ok(room) = sender.reserve().await else { break };
            let mut gathered = Gathered::new(self.source.provenance(), &self.options)?;
            let arrivals = self.source.run(self.runs, run)?;
            gathered.take_all(arrivals, &self.options, &self.listener, self.stop).await?;
            gathered.span.end();
            self.tally.extracted.fetch_add(gathered.images(), Relaxed);
            room.send(gathered);
        }
        (self.listener)(Milestone::AllExtracted);
        Ok(())
    }
}
