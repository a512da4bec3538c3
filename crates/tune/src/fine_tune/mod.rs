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

use std::path::PathBuf;
use std::time::Instant;

use headwater_cli::exit::UsageError;
use headwater_cli::{PhaseBars, Progress};
use headwater_learn::{LearnError, Runs};
use headwater_pilot::Phase;
use headwater_types::{ByteCount, Seed};
use tokio_util::sync::CancellationToken;

pub(crate) use self::learner::{Graduate, Learned};
pub(crate) use self::save::SaveError;

use self::gathered::GatherOptions;
use self::learner::LearnOptions;
use crate::args::FineTuneArgs;
use crate::provenance::Provenance;
use crate::report::{FineTuneSummary, SavedModel};
use crate::source::{Connected, FeatureFolder, FeatureSource, SourceError};

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
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// It was asked to stop.
    #[error("stopped before the end: no head was written")]
    Stopped,
    /// A task of this program ended before its work.
    #[error("a task of the tuner ended before its work: please report it ({0})")]
    Internal(#[from] tokio::task::JoinError),
}

/// Runs fine-tuning to its end. After `stop`, ends within the time of a training step.
pub(crate) async fn fine_tune(
    args: &FineTuneArgs,
    progress: &Progress,
    stop: &CancellationToken,
) -> Result<FineTuneSummary, FineTuneError> {
    let begin = Instant::now();
    let source = stop.run_until_cancelled(Box::pin(open(args, progress))).await.ok_or(FineTuneError::Stopped)??;
    let provenance = source.provenance();
    let seed = Seed(args.seed);
    let gather = GatherOptions { validation_fraction: args.validation_fraction, memory: args.replay_memory, seed };
    let learn = LearnOptions { head: args.head_kind(), train: args.train_options(), memory: args.replay_memory };
    let runs = Runs::new(provenance.samples, args.runs.get(), seed)?;
    check_before(args, provenance).await?;

    let (graduate, learned) = overlap::run(&source, &runs, &gather, learn, progress, stop).await?;
    let (head, joined) = save_all(args, provenance.clone(), graduate.clone()).await?;
    let seconds = begin.elapsed().as_secs_f64();
    let summary = FineTuneSummary::new(provenance, &graduate, &learned, head, joined, seconds);
    Ok(match source.servers() {
        Some(servers) => {
            summary.with_traffic(servers.bytes_received(), servers.stored_bytes()).with_ways(servers.travelled())
        }
        None => summary,
    })
}

async fn open(args: &FineTuneArgs, progress: &Progress) -> Result<FeatureSource, FineTuneError> {
    if let Some(folder) = args.from.features.clone() {
        let opened = tokio::task::spawn_blocking(move || FeatureFolder::open(&folder)).await??;
        return Ok(FeatureSource::Folder(opened));
    }
    let connected = Connected::new(&args.servers()?).await?;
    let bars = PhaseBars::new(progress);
    let told = |phase: Phase, more| bars.told(phase.title(), phase.total(), more);
    let all = (0..connected.provenance().samples).into();
    Ok(FeatureSource::Servers(connected.steer(&all, &told).await?))
}

/// Everything that can be known to go wrong at the end is found out at the start.
async fn check_before(args: &FineTuneArgs, provenance: &Provenance) -> Result<(), FineTuneError> {
    let classes = provenance.classes.len();
    if classes < 2 {
        return Err(FineTuneError::TooFewClasses { classes });
    }
    let kept = provenance.samples as f64 * args.validation_fraction;
    let (needed, limit) = ((kept * provenance.feature_len as f64 * 4.0) as u64, args.replay_memory);
    if needed > limit.get() {
        return Err(FineTuneError::ValidationMemory { needed: ByteCount::new(needed), limit });
    }
    for out in [Some(&args.out), args.joined_out.as_ref()].into_iter().flatten() {
        save::check_output(out)?;
    }
    if let Some(extractor) = args.join.clone() {
        let provenance = provenance.clone();
        tokio::task::spawn_blocking(move || save::read_extractor(&extractor, &provenance)).await??;
    }
    Ok(())
}

/// The head, and the joined model where it is wanted. Both are made before either is written.
async fn save_all(
    args: &FineTuneArgs,
    provenance: Provenance,
    graduate: Graduate,
) -> Result<(SavedModel, Option<SavedModel>), FineTuneError> {
    let (out, join) = (args.out.clone(), args.join.clone().zip(args.joined_out.clone()));
    let blocking = tokio::task::spawn_blocking(move || {
        let head = save::onnx(&graduate.head, &provenance)?;
        let make = |(extractor, out): (PathBuf, PathBuf)| {
            let extractor = save::read_extractor(&extractor, &provenance)?;
            Ok::<_, SaveError>((out, save::joined(&extractor, &provenance, &head)?))
        };
        let joined = join.map(make).transpose()?;
        let joined = joined.map(|(out, model)| save::write(out, &model)).transpose()?;
        Ok::<_, SaveError>((save::write(out, &head)?, joined))
    });
    Ok(blocking.await??)
}

#[cfg(test)]
mod tests;
