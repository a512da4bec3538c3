//! A folder of parts that is complete, and is read in any order.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::BoxStream;
use headwater_types::failure::check_finite;
use headwater_types::{ByteCount, SampleFailure, SampleIndex};
use tokio::sync::mpsc;

use super::error::FolderError;
use super::file;
use super::part::Part;
use super::paths::part_paths;
use super::provenance::FeatureProvenance;
use super::sample::FeatureSample;

/// Features of some samples, each sample once. An error is the last item.
pub type FeatureStream = BoxStream<'static, Result<FeatureSample, FolderError>>;

/// A finished extraction.
#[derive(Debug)]
pub struct FeatureFolder {
    parts: Arc<[PathBuf]>,
    provenance: FeatureProvenance,
    /// Samples that are put into order at a time.
    sorted_at_once: usize,
}

/// Samples that are read before they are asked for.
const READ_AHEAD: usize = 1024;
/// The memory for features that are being put into order.
const SORTED_AT_ONCE: ByteCount = ByteCount::mebibytes(256);

// === impl FeatureFolder ===

impl FeatureFolder {
    /// Reads the footers of all parts: together they must answer for the whole dataset.
    ///
    /// # Errors
    /// [`FolderError`]: the folder cannot be read, lacks samples, or holds parts of two extractions.
    pub fn open(folder: &Path) -> Result<Self, FolderError> {
        let mut paths = Vec::new();
        let mut first: Option<FeatureProvenance> = None;
        let mut covered = 0;
        for path in part_paths(folder)?.into_values() {
            let footer = file::read_footer(&path).map_err(|error| FolderError::Part { path: path.clone(), error })?;
            let provenance = first.get_or_insert_with(|| footer.provenance.clone());
            if let Some((what, ..)) = provenance.difference(&footer.provenance) {
                return Err(FolderError::Mixed { part: path, what });
            }
            if footer.range.start != covered {
                return Err(FolderError::Gap { folder: folder.to_owned(), missing: covered });
            }
            if let Some(missing) = footer.missing.first() {
                return Err(FolderError::Gap { folder: folder.to_owned(), missing: missing.0 });
            }
            covered = footer.range.end;
            paths.push(path);
        }
        let provenance = first.ok_or_else(|| FolderError::Empty(folder.to_owned()))?;
        if covered != provenance.samples {
            return Err(FolderError::Gap { folder: folder.to_owned(), missing: covered });
        }
        let sorted_at_once = (SORTED_AT_ONCE.as_usize() / (4 * provenance.feature_len.max(1))).max(1);
        Ok(Self { parts: paths.into(), provenance, sorted_at_once })
    }

    /// What the features are features of.
    pub fn provenance(&self) -> &FeatureProvenance {
        &self.provenance
    }

    /// The features of these samples, in this order. Parts are in index order; as many samples as fit a bound on memory
    /// are put into order at a time, for which every part is read: sequential reads of a few gigabytes cost less than
    /// one seek for each sample.
    pub fn stream(&self, order: impl IntoIterator<Item = SampleIndex> + Send + 'static) -> FeatureStream {
        let (sender, mut receiver) = mpsc::channel(READ_AHEAD);
        let (parts, feature_len, at_once) = (Arc::clone(&self.parts), self.provenance.feature_len, self.sorted_at_once);
        tokio::task::spawn_blocking(move || {
            let order: Vec<_> = order.into_iter().collect();
            for indices in order.chunks(at_once) {
                let samples = match sorted(&parts, feature_len, indices) {
                    Ok(samples) => samples,
                    Err(error) => {
                        let _ = sender.blocking_send(Err(error));
                        return;
                    }
                };
                for sample in samples {
                    // The reader is gone: the fine-tuning was stopped.
                    if sender.blocking_send(Ok(sample)).is_err() {
                        return;
                    }
                }
            }
        });
        futures::stream::poll_fn(move |context| receiver.poll_recv(context)).boxed()
    }
}

/// The features of these samples, in this order.
fn sorted(
    parts: &[PathBuf],
    feature_len: usize,
    samples: &[SampleIndex],
) -> Result<impl Iterator<Item = FeatureSample> + use<>, FolderError> {
    let places: HashMap<SampleIndex, usize> = samples.iter().copied().zip(0..).collect();
    let mut sorted: Vec<Option<FeatureSample>> = std::iter::repeat_with(|| None).take(samples.len()).collect();
    for path in parts {
        let (_, part) = file::read(path).map_err(|error| FolderError::Part { path: path.clone(), error })?;
        for sample in feature_samples(&part, feature_len) {
            if let Some(place) = places.get(&sample.index).and_then(|place| sorted.get_mut(*place)) {
                *place = Some(sample);
            }
        }
    }
    Ok(sorted.into_iter().flatten())
}

fn feature_samples(part: &Part, feature_len: usize) -> impl Iterator<Item = FeatureSample> {
    let rows = part.iter(feature_len).map(|(index, row, feature)| FeatureSample {
        index,
        key: Some(row.key.clone()),
        label: row.label,
        // Features that are not finite are there where --allow-non-finite was given, or an older tuner wrote them.
        outcome: check_finite(feature).map(|()| feature.to_vec()),
    });
    rows.chain(part.failed.iter().map(|failed| FeatureSample {
        index: failed.index,
        key: failed.key.as_deref().and_then(|key| key.parse().ok()),
        label: None,
        outcome: Err(SampleFailure::new(failed.kind, failed.message.clone())),
    }))
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt as _;
    use headwater_learn::Runs;
    use headwater_types::{FailureKind, Seed};

    use super::*;
    use crate::features::provenance::tests::provenance;
    use crate::features::{Assembly, PartFolder};

    #[tokio::test]
    async fn features_that_are_not_finite_are_failures_whoever_has_kept_them() {
        let dir = tempfile::tempdir().unwrap();
        let mut assembly = Assembly::new(0..3, 2);
        for (index, value) in [(0, 1.0), (1, f32::NAN), (2, f32::INFINITY)] {
            let key = format!("{index}.jpg").parse().unwrap();
            assembly.fill(SampleIndex(index), key, None, &[0.5, value]).unwrap();
        }
        PartFolder::open(dir.path()).unwrap().write(&provenance(3, 2), &assembly.finish()).unwrap();
        let folder = FeatureFolder::open(dir.path()).unwrap();
        let mut came: Vec<_> = folder.stream((0..3).map(SampleIndex).collect::<Vec<_>>()).try_collect().await.unwrap();
        came.sort_by_key(|one| one.index);
        let kinds: Vec<_> = came.iter().map(|one| one.outcome.as_ref().err().map(|failure| failure.kind)).collect();
        assert_eq!(kinds, [None, Some(FailureKind::NotFinite), Some(FailureKind::NotFinite)]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_run_comes_in_the_order_in_which_servers_give_it_however_little_is_sorted_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let parts = PartFolder::open(dir.path()).unwrap();
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
                let came: Vec<_> = folder.stream(runs.samples(run).collect::<Vec<_>>()).try_collect().await.unwrap();
                assert_eq!(came.iter().map(|one| one.index).collect::<Vec<_>>(), runs.samples(run).collect::<Vec<_>>());
                assert!(came.iter().all(|one| one.outcome == Ok(vec![one.index.0 as f32])));
            }
        }
    }
}
