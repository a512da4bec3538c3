//! `tuner extract`: the features and labels of a dataset, as a folder of Parquet parts.
//!
//! Resumable: what is there is read back and checked, only what is missing is fetched. Stopped by a signal or an error, it writes
//! what has come into parts that say what they lack. Killed at any moment, the folder holds whole parts, and the next start
//! completes it; each sample is in it exactly once.

mod gathering;

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Instant;

use futures::StreamExt;
use headwater_cli::{Bar, GrowingBar, Outcome, Progress};
use headwater_client::Indices;
use headwater_pilot::Headway;
use headwater_types::SampleIndex;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use self::gathering::Gathering;
use crate::args::ExtractArgs;
use crate::report::ExtractSummary;
use crate::source::{Arrivals, Connected, SourceError};
use headwater_tables::features::{
    Contents, FeatureProvenance, FeatureSample, FolderError, Misdelivery, Missing, PartFolder, PartTask, RetryFailed,
    tasks,
};

/// Why an extraction ended before its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExtractError {
    /// No more features come.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The output folder cannot be used.
    #[error("{0}")]
    Folder(#[from] FolderError),
    /// What came is not what was asked for.
    #[error(transparent)]
    Misdelivery(#[from] Misdelivery),
    /// The servers ended without an error and without all samples.
    #[error("sample {0} was never delivered: please report it")]
    Missing(SampleIndex),
    /// It was asked to stop.
    #[error("stopped before the end")]
    Stopped,
    /// A task of this program ended before its work.
    #[error("a task of the tuner ended before its work: please report it ({0})")]
    Internal(#[from] tokio::task::JoinError),
}

/// An extraction that ended early, with what it had.
#[derive(Debug, thiserror::Error)]
#[error("{kept} of {samples} samples are kept in {}: run the same command again to go on from there", out.display())]
pub(crate) struct Unfinished {
    kept: u64,
    samples: u64,
    out: PathBuf,
    #[source]
    why: ExtractError,
}

/// Samples that wait for the thread that writes parts; past this, the servers wait.
const WAITING_SAMPLES: usize = 256;

/// Runs an extraction to its end. After `stop`, ends within the time that writing the parts that have begun takes: two for each server.
pub(crate) async fn extract(
    args: &ExtractArgs,
    progress: &Progress,
    stop: &CancellationToken,
) -> Result<Outcome<ExtractSummary>, ExtractError> {
    let begin = Instant::now();
    let folder = PartFolder::open(&args.out)?;
    let connecting = stop.run_until_cancelled(Connected::new(&args.servers, args.allow_non_finite));
    let connected = connecting.await.ok_or(ExtractError::Stopped)??;
    let provenance = connected.provenance().clone();

    let retry = if args.retry_failed { RetryFailed::All } else { RetryFailed::Passing };
    let survey = Survey { folder, overwrite: args.overwrite, part_rows: args.part_rows, retry };
    let (folder, tasks) = survey.run(provenance.clone(), stop.clone()).await?;
    let indices = missing(&tasks, provenance.samples);
    let fetched = indices.len();
    // Features are written as they are; keys and labels come on top.
    folder.need(fetched.saturating_mul(provenance.feature_len as u64).saturating_mul(4))?;
    let resumed = provenance.samples - fetched;
    if resumed > 0 {
        tracing::info!(resumed, missing = fetched, out = %args.out.display(), "going on with an earlier extraction");
    }

    let servers = {
        let bar = GrowingBar::new(progress, "profile");
        let told = |headway: Headway| bar.told(headway.done, headway.total);
        let steering = Box::pin(connected.steer(&indices, &told));
        stop.run_until_cancelled(steering).await.ok_or(ExtractError::Stopped)??
    };
    let bar = progress.items("extract", Some(provenance.samples));
    bar.set(resumed);
    let extracting = Instant::now();
    let gathering = Gathering::new(folder, provenance.clone(), retry, tasks);
    let (contents, ended) = gather(servers.features(indices, false)?, gathering, &bar, stop).await?;
    let extract_seconds = extracting.elapsed().as_secs_f64();
    let seconds = begin.elapsed().as_secs_f64();
    let (received, travelled) = (servers.bytes_received(), servers.travelled());
    let summary = ExtractSummary::new(&provenance, &contents, args.out.clone(), fetched, received, travelled);
    let summary = summary.timed(seconds, extract_seconds);
    let told = contents.failures.tell(contents.samples, args.failures.max_failures);
    Ok(match ended {
        Ok(()) => Outcome::of(summary, told),
        Err(why) => {
            let (kept, samples, out) = (contents.samples, provenance.samples, args.out.clone());
            Outcome::short(summary, Unfinished { kept, samples, out, why })
        }
    })
}

/// Takes arrivals, on a thread that may block, until they end; gives what the folder holds then, and why that is not all.
async fn gather(
    mut arrivals: Arrivals,
    mut gathering: Gathering,
    bar: &Bar,
    stop: &CancellationToken,
) -> Result<(Contents, Result<(), ExtractError>), ExtractError> {
    let (sender, mut receiver) = mpsc::channel::<FeatureSample>(WAITING_SAMPLES);
    let writer = tokio::task::spawn_blocking(move || {
        let mut taken = Ok(());
        while let (Ok(()), Some(arrival)) = (&taken, receiver.blocking_recv()) {
            taken = gathering.take(arrival);
        }
        (gathering, taken)
    });
    let mut ended = Ok(());
    loop {
        let arrival = match stop.run_until_cancelled(arrivals.next()).await {
            Some(Some(Ok(arrival))) => arrival,
            Some(Some(Err(error))) => break ended = Err(error.into()),
            Some(None) => break,
            None => break ended = Err(ExtractError::Stopped),
        };
        // The writer hangs up only after an error of its own, which it gives below.
        if sender.send(arrival).await.is_err() {
            break;
        }
        bar.add(1);
    }
    drop((arrivals, sender));
    let (gathering, taken) = writer.await?;
    let ended = taken.and(ended);
    let finishing = move || match ended {
        Ok(()) => Ok((gathering.finish()?, Ok(()))),
        Err(why) => Ok((gathering.keep()?, Err(why))),
    };
    tokio::task::spawn_blocking(finishing).await?
}

/// What is fetched: as a range where nothing is there yet, so that a fresh start needs no list.
fn missing(tasks: &[PartTask], samples: u64) -> Indices {
    let is_fresh = tasks.iter().all(|task| task.missing == Missing::All)
        && tasks.iter().map(|task| task.range.end - task.range.start).sum::<u64>() == samples;
    if is_fresh { (0..samples).into() } else { tasks.iter().flat_map(PartTask::indices).collect() }
}

/// Looking at what is there.
struct Survey {
    folder: PartFolder,
    overwrite: bool,
    part_rows: NonZeroU64,
    retry: RetryFailed,
}

// === impl Survey ===

impl Survey {
    async fn run(
        self,
        provenance: FeatureProvenance,
        stop: CancellationToken,
    ) -> Result<(PartFolder, Vec<PartTask>), ExtractError> {
        let blocking = tokio::task::spawn_blocking(move || {
            let folder = self.folder;
            if self.overwrite {
                folder.clear()?;
            }
            let present = folder.survey(&provenance, &mut || stop.is_cancelled())?.ok_or(ExtractError::Stopped)?;
            let tasks = tasks(provenance.samples, self.part_rows, &present, self.retry);
            Ok((folder, tasks))
        });
        blocking.await?
    }
}
