//! Features from a folder of parts.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::StreamExt;
use headwater_learn::Runs;
use headwater_types::failure::check_finite;
use headwater_types::{ByteCount, SampleFailure, SampleIndex};
use tokio::sync::mpsc;

use super::{Arrival, Arrivals, SourceError};
use crate::parts::{self, FolderError, Part};
use crate::provenance::Provenance;

/// A finished extraction.
#[derive(Debug)]
pub(crate) struct FeatureFolder {
    parts: Arc<[PathBuf]>,
    provenance: Provenance,
    /// Samples that are put into order at a time.
    sorted_at_once: usize,
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
/// Memory for features that are being put into order.
const SORTED_AT_ONCE: ByteCount = ByteCount::mebibytes(256);

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
            if let Some(missing) = footer.missing.first() {
                return Err(FeatureFolderError::Gap { folder: folder.to_owned(), missing: missing.0 }.into());
            }
            covered = footer.range.end;
            paths.push(path);
        }
        let provenance = first.ok_or_else(|| FeatureFolderError::Empty(folder.to_owned()))?;
        if covered != provenance.samples {
            return Err(FeatureFolderError::Gap { folder: folder.to_owned(), missing: covered }.into());
        }
        let sorted_at_once = (SORTED_AT_ONCE.as_usize() / (4 * provenance.feature_len.max(1))).max(1);
        Ok(Self { parts: paths.into(), provenance, sorted_at_once })
    }

    pub(crate) fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// The features of one run in the run's order, which is that in which servers give them: the same seed gives the same head from
    /// both. Parts are in index order; as many samples as fit a bound on memory are put into order at a time, for which every part
    /// is read: sequential reads of a few gigabytes cost less than one seek for each sample.
    pub(crate) fn run(&self, runs: Runs, run: u32) -> Arrivals {
        let (sender, mut receiver) = mpsc::channel(READ_AHEAD);
        let (parts, feature_len, at_once) = (Arc::clone(&self.parts), self.provenance.feature_len, self.sorted_at_once);
        tokio::task::spawn_blocking(move || {
            let order: Vec<_> = runs.samples(run).collect();
            for samples in order.chunks(at_once) {
                let arrivals = match sorted(&parts, feature_len, samples) {
                    Ok(arrivals) => arrivals,
                    Err(error) => {
                        let _ = sender.blocking_send(Err(error));
                        return;
                    }
                };
                for arrival in arrivals {
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

/// These samples, in this order.
fn sorted(
    parts: &[PathBuf],
    feature_len: usize,
    samples: &[SampleIndex],
) -> Result<impl Iterator<Item = Arrival> + use<>, SourceError> {
    let places: HashMap<SampleIndex, usize> = samples.iter().copied().zip(0..).collect();
    let mut sorted: Vec<Option<Arrival>> = std::iter::repeat_with(|| None).take(samples.len()).collect();
    for path in parts {
        let (_, part) = parts::read(path).map_err(|error| FolderError::Part { path: path.clone(), error })?;
        for arrival in arrivals(&part, feature_len) {
            if let Some(place) = places.get(&arrival.index).and_then(|place| sorted.get_mut(*place)) {
                *place = Some(arrival);
            }
        }
    }
    Ok(sorted.into_iter().flatten())
}

fn arrivals(part: &Part, feature_len: usize) -> impl Iterator<Item = Arrival> {
    let rows = part.iter(feature_len).map(|(index, row, feature)| Arrival {
        index,
        key: Some(row.key.clone()),
        label: row.label,
        // Extracted by who insisted on them, or before they were failures.
        outcome: check_finite(feature).map(|()| feature.to_vec()),
    });
    rows.chain(part.failed.iter().map(|failed| Arrival {
        index: failed.index,
        key: failed.key.as_deref().and_then(|key| key.parse().ok()),
        label: None,
        outcome: Err(SampleFailure::new(failed.kind, failed.message.clone())),
    }))
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt as _;
    use headwater_types::{FailureKind, Seed};

    use super::*;
    use crate::parts::{Assembly, Folder};
    use crate::provenance::tests::provenance;

    #[tokio::test]
    async fn features_that_are_not_finite_are_failures_whoever_has_kept_them() {
        let dir = tempfile::tempdir().unwrap();
        let mut assembly = Assembly::new(0..3, 2);
        for (index, value) in [(0, 1.0), (1, f32::NAN), (2, f32::INFINITY)] {
            let key = format!("{index}.jpg").parse().unwrap();
            assembly.fill(SampleIndex(index), key, None, &[0.5, value]).unwrap();
        }
        Folder::open(dir.path()).unwrap().write(&provenance(3, 2), &assembly.finish()).unwrap();
        let folder = FeatureFolder::open(dir.path()).unwrap();
        let mut came: Vec<_> = folder.run(Runs::new(3, 1, Seed(7)).unwrap(), 0).try_collect().await.unwrap();
        came.sort_by_key(|one| one.index);
        let kinds: Vec<_> = came.iter().map(|one| one.outcome.as_ref().err().map(|failure| failure.kind)).collect();
        assert_eq!(kinds, [None, Some(FailureKind::NotFinite), Some(FailureKind::NotFinite)]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_run_comes_in_the_order_in_which_servers_give_it_however_little_is_sorted_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let parts = Folder::open(dir.path()).unwrap();
        for range in [0..7, 7..20] {
            let mut assembly = Assembly::new(range.clone(), 1);
            for index in range {
                let key = format!("{index}.jpg").parse().unwrap();
                assembly.fill(SampleIndex(index), key, None, &[index as f32]).unwrap();
            }
            parts.write(&provenance(20, 1), &assembly.finish()).unwrap();
        }
        let runs = Runs::new(20, 3, Seed(7)).unwrap();
        for sorted_at_once in [1, 3, 1000] {
            let folder = FeatureFolder { sorted_at_once, ..FeatureFolder::open(dir.path()).unwrap() };
            for run in 0..3 {
                let came: Vec<_> = folder.run(runs.clone(), run).try_collect().await.unwrap();
                assert_eq!(came.iter().map(|one| one.index).collect::<Vec<_>>(), runs.samples(run).collect::<Vec<_>>());
                assert!(came.iter().all(|one| one.outcome == Ok(vec![one.index.0 as f32])));
            }
        }
    }
}
