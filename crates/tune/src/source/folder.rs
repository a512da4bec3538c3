//! Features from a folder of parts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::StreamExt;
use headwater_learn::Runs;
use headwater_types::SampleFailure;
use tokio::sync::mpsc;

use super::{Arrival, Arrivals, SourceError};
use crate::parts::{self, FolderError, Part};
use crate::provenance::Provenance;

/// A finished extraction.
#[derive(Debug)]
pub(crate) struct FeatureFolder {
    parts: Arc<[PathBuf]>,
    provenance: Provenance,
}

/// Why a folder does not hold a finished extraction.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FeatureFolderError {
    /// No part.
    #[error("{} holds no features: run tuner extract --out {} first", .0.display(), .0.display())]
    Empty(PathBuf),
    /// A gap between parts.
    #[error("{} lacks sample {missing} and maybe more: run the same tuner extract again to complete it", folder.display())]
    Gap {
        /// The folder.
        folder: PathBuf,
        /// The first that is missing.
        missing: u64,
    },
    /// Parts of two extractions.
    #[error("{} holds features of another {what} than the parts before it: extract again into an empty folder", part.display())]
    Mixed {
        /// The part.
        part: PathBuf,
        /// In what it differs.
        what: &'static str,
    },
}

/// Samples that are read ahead of whoever takes them.
const READ_AHEAD: usize = 1024;

// === impl FeatureFolder ===

impl FeatureFolder {
    /// Reads the footers of all parts: together they must answer for the whole dataset.
    pub(crate) fn open(folder: &Path) -> Result<Self, SourceError> {
        let mut paths = Vec::new();
        let mut first: Option<Provenance> = None;
        let mut covered = 0;
        for path in parts::paths(folder)?.into_values() {
            let footer = parts::read_footer(&path).map_err(|error| FolderError::Part { path: path.clone(), error })?;
            let provenance = first.get_or_insert_with(|| footer.provenance.clone());
            if let Some((what, ..)) = provenance.difference(&footer.provenance) {
                return Err(FeatureFolderError::Mixed { part: path, what }.into());
            }
            if footer.range.start != covered {
                return Err(FeatureFolderError::Gap { folder: folder.to_owned(), missing: covered }.into());
            }
            covered = footer.range.end;
            paths.push(path);
        }
        let provenance = first.ok_or_else(|| FeatureFolderError::Empty(folder.to_owned()))?;
        if covered != provenance.samples {
            return Err(FeatureFolderError::Gap { folder: folder.to_owned(), missing: covered }.into());
        }
        Ok(Self { parts: paths.into(), provenance })
    }

    pub(crate) fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// The features of one run, in index order. Every part is read, and those of other runs passed over: sequential reads
    /// of a few gigabytes cost less than one seek for each sample.
    pub(crate) fn run(&self, runs: Runs, run: u32) -> Arrivals {
        let (sender, mut receiver) = mpsc::channel(READ_AHEAD);
        let (parts, feature_len) = (Arc::clone(&self.parts), self.provenance.feature_len);
        tokio::task::spawn_blocking(move || {
            for path in parts.iter() {
                let part = match parts::read(path) {
                    Ok((_, part)) => part,
                    Err(error) => {
                        let path = path.clone();
                        let _ = sender.blocking_send(Err(FolderError::Part { path, error }.into()));
                        return;
                    }
                };
                let of_run = |arrival: &Arrival| runs.run_of(arrival.index) == Some(run);
                for arrival in arrivals(&part, feature_len).filter(of_run) {
                    // Nobody listens any more: the fine-tuning was stopped.
                    if sender.blocking_send(Ok(arrival)).is_err() {
                        return;
                    }
                }
            }
        });
        futures::stream::poll_fn(move |context| receiver.poll_recv(context)).boxed()
    }
}

fn arrivals(part: &Part, feature_len: usize) -> impl Iterator<Item = Arrival> {
    let rows = part.iter(feature_len).map(|(index, row, feature)| Arrival {
        index,
        key: Some(row.key.clone()),
        label: row.label,
        outcome: Ok(feature.to_vec()),
    });
    rows.chain(part.failed.iter().map(|failed| Arrival {
        index: failed.index,
        key: failed.key.as_deref().and_then(|key| key.parse().ok()),
        label: None,
        outcome: Err(SampleFailure::new(failed.kind, failed.message.clone())),
    }))
}
