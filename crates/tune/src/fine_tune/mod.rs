//! `tuner fine-tune`: a head, trained on the features of a dataset.
//!
//! The samples are shared out over N runs; while one run is trained on, the next is extracted ([`overlap`]). Each run is
//! trained on together with the earlier ones, so that they are not forgotten. Which samples are kept to judge the head by
//! is decided by a hash of their keys, so that a sample is on the same side in every run and every start.

mod clock;
mod gathered;
mod learner;
mod overlap;
mod save;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use headwater_cli::exit::UsageError;
use headwater_cli::{GrowingBar, Outcome, Progress};
use headwater_learn::{Head, LearnError, Runs};
use headwater_pilot::Headway;
use headwater_types::{ByteCount, Seed};
use tokio_util::sync::CancellationToken;

pub(crate) use self::learner::{Graduate, Learned};
pub(crate) use self::save::SaveError;

use self::gathered::GatherOptions;
use self::learner::LearnOptions;
use self::overlap::Tally;
use self::save::{Files, Saved};
use crate::args::FineTuneArgs;
use crate::report::FineTuneSummary;
use crate::source::{Connected, FeatureSource, SourceError};
use headwater_tables::features::{FeatureFolder, FeatureProvenance};

/// Why fine-tuning ended without a head.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FineTuneError {
    /// No more features come.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The head cannot be made or trained so.
    #[error(transparent)]
    Learn(#[from] LearnError),
    /// The head cannot be saved.
    #[error(transparent)]
    Save(#[from] SaveError),
    /// There is nothing to tell apart.
    #[error(
        "the dataset has {} and training needs at least 2: put photos into one folder for each class",
        match classes { 0 => "no labels".to_owned(), n => format!("{n} class") }
    )]
    TooFewClasses {
        /// How many there are.
        classes: usize,
    },
    /// Every sample failed, was kept for validation, or has no label.
    #[error(
        "no sample is left to train on: of {images} there are {validated} kept for validation, {unlabelled} without a label \
         and {failed} that failed"
    )]
    NothingToTrainOn {
        /// Samples of the dataset.
        images: u64,
        /// Those that were kept for validation.
        validated: u64,
        /// Those without a label.
        unlabelled: u64,
        /// Those without a feature.
        failed: u64,
    },
    /// The features for validation would not fit.
    #[error(
        "about {needed} of features would be kept for validation, more than {limit}: lower --validation-fraction, or raise \
         --replay-memory"
    )]
    ValidationMemory {
        /// What they would take.
        needed: ByteCount,
        /// What they may.
        limit: ByteCount,
    },
    /// Neither servers nor a folder were named.
    #[error("{0}")]
    Usage(#[from] UsageError),
    /// It was asked to stop.
    #[error("stopped before the end: no head was written")]
    Stopped,
    /// It was asked to stop when some was done. A head of some runs is not the head that was asked for, and is not written.
    #[error(
        "stopped after {trained} of {runs} runs, with {extracted} of {samples} samples extracted: no head was written, and these \
         features are lost (tuner extract keeps them, and tuner fine-tune --features DIR learns from them)"
    )]
    Interrupted {
        /// Runs that were trained on.
        trained: u32,
        /// Runs that were asked for.
        runs: u32,
        /// Samples of the runs that were extracted.
        extracted: u64,
        /// Samples of the dataset.
        samples: u64,
    },
    /// A task of this program ended before its work.
    #[error("a task of the tuner ended before its work: please report it ({0})")]
    Internal(#[from] tokio::task::JoinError),
}

/// Runs fine-tuning to its end. After `stop`, ends within the time of a training step.
pub(crate) async fn fine_tune(
    args: &FineTuneArgs,
    progress: &Progress,
    stop: &CancellationToken,
) -> Result<Outcome<FineTuneSummary>, FineTuneError> {
    let begin = Instant::now();
    let files = Files::open(args)?;
    let source = stop.run_until_cancelled(Box::pin(open(args, progress))).await.ok_or(FineTuneError::Stopped)??;
    let provenance = source.provenance();
    let seed = Seed(args.seed);
    let gather = GatherOptions { validation_fraction: args.validation_fraction, memory: args.replay_memory, seed };
    let learn = LearnOptions { head: args.head_kind(), train: args.train_options(), memory: args.replay_memory };
    let runs = Runs::new(provenance.samples, args.runs.get(), seed)?;
    let files = check_before(args, provenance, files).await?;

    let tally = Arc::new(Tally::default());
    let ran = overlap::run(&source, &runs, &gather, learn, progress, stop, &tally).await;
    let (graduate, learned) = ran.map_err(|error| error.after(&tally, &runs, provenance))?;
    let Saved { head, joined, fault } = save_all(files, provenance.clone(), graduate.head.clone()).await?;
    let seconds = begin.elapsed().as_secs_f64();
    let summary = FineTuneSummary::new(provenance, &graduate, &learned, seed, (head, joined), seconds);
    let summary = match source.servers() {
        Some(servers) => {
            summary.with_traffic(servers.bytes_received(), servers.stored_bytes()).with_ways(servers.travelled())
        }
        None => summary,
    };
    let told = graduate.counts.failures.tell(graduate.counts.images, args.failures.max_failures);
    Ok(match fault {
        Some(fault) => Outcome::short(summary, fault),
        None => Outcome::of(summary, told),
    })
}

async fn open(args: &FineTuneArgs, progress: &Progress) -> Result<FeatureSource, FineTuneError> {
    if let Some(folder) = args.from.features.clone() {
        let opened =
            tokio::task::spawn_blocking(move || FeatureFolder::open(&folder)).await?.map_err(SourceError::from)?;
        return Ok(FeatureSource::Folder(opened));
    }
    let connected = Connected::new(&args.servers()?, false).await?;
    let bar = GrowingBar::new(progress, "profile");
    let told = |headway: Headway| bar.told(headway.done, headway.total);
    let all = (0..connected.provenance().samples).into();
    Ok(FeatureSource::Servers(connected.steer(&all, &told).await?))
}

/// Everything that can be known to go wrong at the end is found out at the start.
async fn check_before(
    args: &FineTuneArgs,
    provenance: &FeatureProvenance,
    files: Files,
) -> Result<Files, FineTuneError> {
    let classes = provenance.classes.len();
    if classes < 2 {
        return Err(FineTuneError::TooFewClasses { classes });
    }
    let (runs, samples) = (args.runs, provenance.samples);
    if u64::from(runs.get()) > samples {
        let words = format!("--runs {runs} of {samples} samples leaves runs without a sample: give {samples} or fewer");
        return Err(UsageError(words).into());
    }
    let kept = provenance.samples as f64 * args.validation_fraction;
    let (needed, limit) = ((kept * provenance.feature_len as f64 * 4.0) as u64, args.replay_memory);
    if needed > limit.get() {
        return Err(FineTuneError::ValidationMemory { needed: ByteCount::new(needed), limit });
    }
    let untrained = Head::new(args.head_kind(), provenance.feature_len, classes, Seed(args.seed))?;
    let provenance = provenance.clone();
    let blocking = tokio::task::spawn_blocking(move || files.rehearse(&provenance, &untrained).map(|()| files));
    Ok(blocking.await??)
}

async fn save_all(files: Files, provenance: FeatureProvenance, head: Head) -> Result<Saved, FineTuneError> {
    Ok(tokio::task::spawn_blocking(move || files.save(&provenance, &head)).await??)
}

// === impl FineTuneError ===

impl FineTuneError {
    /// A stop, with how far it had come.
    fn after(self, tally: &Tally, runs: &Runs, provenance: &FeatureProvenance) -> Self {
        match self {
            Self::Stopped => Self::Interrupted {
                trained: tally.trained.load(Relaxed),
                runs: runs.count(),
                extracted: tally.extracted.load(Relaxed),
                samples: provenance.samples,
            },
            error => error,
        }
    }
}

#[cfg(test)]
mod tests;
