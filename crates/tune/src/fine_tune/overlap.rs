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

use headwater_cli::Progress;
use headwater_learn::Runs;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::FineTuneError;
use super::clock::Span;
use super::gathered::{GatherOptions, Gathered};
use super::learner::{Graduate, LearnOptions, Learned, Learner};
use crate::source::FeatureSource;

/// How far it came.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Samples of runs that were extracted.
    pub(crate) extracted: AtomicU64,
    /// Runs that were trained on.
    pub(crate) trained: AtomicU32,
}

/// Extracts and trains, run by run.
pub(crate) async fn run(
    source: &FeatureSource,
    runs: &Runs,
    gather: &GatherOptions,
    learn: LearnOptions,
    progress: &Progress,
    stop: &CancellationToken,
    tally: &Arc<Tally>,
) -> Result<(Graduate, Vec<Learned>), FineTuneError> {
    let provenance = source.provenance();
    let mut learner = Learner::new(provenance, learn)?;
    let (sender, mut receiver) = mpsc::channel::<Gathered>(1);
    let training_bar = progress.items("train (epochs)", Some(u64::from(runs.count()) * u64::from(learn.train.epochs)));
    let (stopped, counting) = (stop.clone(), Arc::clone(tally));
    let mut training = tokio::task::spawn_blocking(move || {
        let mut learned = Vec::new();
        while let Some(run) = receiver.blocking_recv() {
            learned.push(learner.learn(run, &training_bar, &|| stopped.is_cancelled())?);
            counting.trained.fetch_add(1, Relaxed);
            training_bar.set(learned.len() as u64 * u64::from(learn.train.epochs));
        }
        if stopped.is_cancelled() {
            return Err(FineTuneError::Stopped);
        }
        Ok((learner.finish()?, learned))
    });

    let extracting = async {
        let bar = progress.items("extract", Some(provenance.samples));
        for run in 0..runs.count() {
            // Room first, so that no third run is begun while one waits. An error: training ended, and says why.
            let Ok(room) = sender.reserve().await else { break };
            let mut gathered = Gathered::new(provenance, gather, Span::begin())?;
            gathered.take_all(source.run(runs, run)?, gather, &bar, stop).await?;
            gathered.span.end();
            tally.extracted.fetch_add(gathered.images(), Relaxed);
            room.send(gathered);
        }
        drop(sender);
        Ok(())
    };
    // Training that fails must not wait for an extraction of hours: whichever ends in an error ends both.
    tokio::pin!(extracting);
    let extracted: Result<(), FineTuneError> = tokio::select! {
        extracted = &mut extracting => extracted,
        trained = &mut training => return trained?,
    };
    extracted?;
    stop.run_until_cancelled(training).await.ok_or(FineTuneError::Stopped)??
}
