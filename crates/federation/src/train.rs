//! A run, from the first word to its workers to the head that came of it.

use std::hash::{BuildHasher, RandomState};
use std::time::Instant;

use headwater_client::training_calls::TrainingId;
use headwater_plan::sync::Mode;
use headwater_plan::sync::log::EndOutcome;
use tokio_util::sync::CancellationToken;

use crate::checkpoint::Checkpoint;
use crate::crew::Crew;
use crate::error::FederationError;
use crate::federated::Federated;
use crate::journal::Journal;
use crate::options::FederationOptions;
use crate::place::Place;
use crate::run::Run;
use crate::{alone, barrier};

/// Trains a head with these workers. It goes on from `checkpoint`, where there is one.
///
/// # Errors
/// [`FederationError`]. What happens to one worker is no error.
pub async fn train(
    places: Vec<Place>,
    options: &FederationOptions,
    checkpoint: Option<&Checkpoint>,
    journal: Journal,
    stop: &CancellationToken,
) -> Result<Federated, FederationError> {
    options.check()?;
    let training = checkpoint.map_or_else(drawn, |checkpoint| TrainingId(checkpoint.head.training));
    let crew = Crew::new(places, training, options);
    let mut run = Box::pin(Run::assemble((crew, journal), options, checkpoint, stop)).await?;
    let resumed_from = checkpoint.map(Checkpoint::round);
    run.write_down(resumed_from);
    let begin = Instant::now();
    run.judge_now();
    let rounds = match options.mode {
        Mode::Async => Box::pin(alone::rounds(&mut run)).await,
        Mode::Esync | Mode::Sync | Mode::Local | Mode::Central => Box::pin(barrier::rounds(&mut run)).await,
    };
    let seconds = begin.elapsed().as_secs_f64();
    let saved = run.saver.finish().await;
    if let Err(error) = rounds.and(saved) {
        let outcome = EndOutcome::Stopped;
        run.journal.end(run.round, outcome, run.judge.last().map(|last| last.top1));
        if !run.saver.keeps() {
            run.crew.end().await;
        }
        return Err(error);
    }
    run.finish(resumed_from, seconds).await
}

/// A name that no other training has.
fn drawn() -> TrainingId {
    let half = || RandomState::new().hash_one("training").to_le_bytes();
    let mut id = [0; 16];
    id[..8].copy_from_slice(&half());
    id[8..].copy_from_slice(&half());
    TrainingId(id)
}
