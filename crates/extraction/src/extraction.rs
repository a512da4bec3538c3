//! An extraction: the samples that a folder of parts still lacks, and their way into it.
//!
//! Resumable: what is there is read back and checked, and only what is missing is fetched. Stopped by a signal or an
//! error, it writes what has come into parts that say what they lack. Killed at any moment, the folder holds whole
//! parts, and the next start completes it; each sample is in it exactly once.

use std::num::NonZeroU64;

use futures::StreamExt;
use headwater_client::Indices;
use headwater_tables::features::{
    Contents, FeatureProvenance, FeatureSample, Missing, PartFolder, PartTask, RetryFailed, tasks,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::arrivals::Arrivals;
use crate::error::ExtractError;
use crate::gathering::Gathering;

/// What is kept of a folder, and how it is filled.
#[derive(Clone, Copy, Debug)]
pub struct ExtractionOptions {
    /// Whether every part that is there is removed first.
    pub overwrite: bool,
    /// Samples of one part.
    pub part_rows: NonZeroU64,
    /// The samples that are tried again although they failed before.
    pub retry: RetryFailed,
}

/// The samples that a folder still lacks.
#[derive(Debug)]
pub struct Extraction {
    folder: PartFolder,
    provenance: FeatureProvenance,
    retry: RetryFailed,
    tasks: Vec<PartTask>,
}

/// How an extraction ended.
#[derive(Debug)]
pub struct Extracted {
    /// What the folder holds.
    pub contents: Contents,
    /// Why that is not all, where it is not.
    pub ended: Result<(), ExtractError>,
}

/// Samples that wait for the thread that writes parts. When so many wait, no more are taken from the servers.
const WAITING_SAMPLES: usize = 256;

// === impl Extraction ===

impl Extraction {
    /// Reads back what is in the folder, and sees that there is space for what it lacks.
    ///
    /// # Errors
    /// [`ExtractError`]: the folder holds something else or cannot be read, its disk is too full, or `stop` was
    /// cancelled.
    pub async fn survey(
        folder: PartFolder,
        provenance: FeatureProvenance,
        options: ExtractionOptions,
        stop: &CancellationToken,
    ) -> Result<Self, ExtractError> {
        let stop = stop.clone();
        let survey = move || {
            if options.overwrite {
                folder.clear()?;
            }
            let present = folder.survey(&provenance, &mut || stop.is_cancelled())?.ok_or(ExtractError::Stopped)?;
            let tasks = tasks(provenance.samples, options.part_rows, &present, options.retry);
            let extraction = Self { folder, provenance, retry: options.retry, tasks };
            // Features are written as they are; keys and labels come on top.
            let bytes = 4 * extraction.provenance.feature_len as u64;
            extraction.folder.need(extraction.missing().len().saturating_mul(bytes))?;
            Ok(extraction)
        };
        tokio::task::spawn_blocking(survey).await?
    }

    /// The samples to fetch: a range where nothing is there yet, so that a fresh start needs no list.
    pub fn missing(&self) -> Indices {
        let is_fresh = self.tasks.iter().all(|task| task.missing == Missing::All)
            && self.tasks.iter().map(|task| task.range.end - task.range.start).sum::<u64>() == self.provenance.samples;
        match is_fresh {
            true => (0..self.provenance.samples).into(),
            false => self.tasks.iter().flat_map(PartTask::indices).collect(),
        }
    }

    /// Puts arrivals into parts until they end, and calls `came` for each. After `stop` it ends within the time that
    /// writing the parts that have begun takes: two for each server.
    ///
    /// # Errors
    /// [`ExtractError`]: what has come could not be counted, or the failures not be listed.
    pub async fn run(
        self,
        mut arrivals: Arrivals,
        came: &(dyn Fn() + Sync),
        stop: &CancellationToken,
    ) -> Result<Extracted, ExtractError> {
        let (sender, mut receiver) = mpsc::channel::<FeatureSample>(WAITING_SAMPLES);
        let mut gathering = Gathering::new(self.folder, self.provenance, self.retry, self.tasks);
        let writer = tokio::task::spawn_blocking(move || {
            let mut taken = Ok(());
            while let (Ok(()), Some(sample)) = (&taken, receiver.blocking_recv()) {
                taken = gathering.take(sample);
            }
            (gathering, taken)
        });
        let mut ended = Ok(());
        loop {
            let sample = match stop.run_until_cancelled(arrivals.next()).await {
                Some(Some(Ok(sample))) => sample,
                Some(Some(Err(error))) => break ended = Err(error.into()),
                Some(None) => break,
                None => break ended = Err(ExtractError::Stopped),
            };
            // The writer hangs up only after an error of its own, which it gives below.
            if sender.send(sample).await.is_err() {
                break;
            }
            came();
        }
        drop((arrivals, sender));
        let (gathering, taken) = writer.await?;
        let finishing = move || match taken.and(ended) {
            Ok(()) => Ok(Extracted { contents: gathering.finish()?, ended: Ok(()) }),
            Err(why) => Ok(Extracted { contents: gathering.keep()?, ended: Err(why) }),
        };
        tokio::task::spawn_blocking(finishing).await?
    }
}
