//! Samples that are ready to be labelled, gathered until they are as many as one commit of the index holds.

use std::sync::{Arc, PoisonError};

use anyhow::{Result, anyhow};
use headwater_features::{Classifier, Labels};
use headwater_labels::{LabelIndex, Outcome, Place, Row, RunId};
use headwater_types::{FailureKind, SampleFailure, SampleIndex, SampleKey};

use crate::labels::SharedStanding;

/// Samples with their features, and samples that failed for good.
#[derive(Default)]
pub(super) struct Gathered {
    samples: Vec<Sample>,
    /// The features of those that have some, one row after the other.
    features: Vec<f32>,
}

struct Sample {
    index: SampleIndex,
    key: SampleKey,
    version: [u8; 16],
    /// `None` for a sample with features.
    failure: Option<FailureKind>,
}

/// What became of a block.
pub(super) struct Committed {
    /// Samples that got labels.
    pub(super) labelled: u64,
    /// Samples with features, of which the head makes no scores.
    pub(super) unscored: Vec<(SampleKey, SampleFailure)>,
}

/// Where rows go.
#[derive(Clone)]
pub(super) struct Sink {
    pub(super) index: Arc<LabelIndex>,
    pub(super) run: RunId,
    pub(super) standing: SharedStanding,
    pub(super) classifier: Arc<Classifier>,
    pub(super) top_k: usize,
}

// === impl Sample ===

impl Sample {
    fn row<'r>(&'r self, outcome: Outcome<'r>) -> Row<'r> {
        Row { key: self.key.as_str(), version: self.version, outcome }
    }
}

// === impl Gathered ===

impl Gathered {
    pub(super) fn len(&self) -> usize {
        self.samples.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// Adds a sample with its features.
    pub(super) fn add(&mut self, index: SampleIndex, (key, version): (SampleKey, [u8; 16]), features: &[f32]) {
        self.samples.push(Sample { index, key, version, failure: None });
        self.features.extend_from_slice(features);
    }

    /// Adds a sample that failed.
    pub(super) fn fail(&mut self, index: SampleIndex, (key, version): (SampleKey, [u8; 16]), kind: FailureKind) {
        self.samples.push(Sample { index, key, version, failure: Some(kind) });
    }

    /// Labels them, and appends what came of them to the index, durably. Blocks.
    ///
    /// # Errors
    /// A head that cannot be run, a disk that takes no more.
    pub(super) fn commit(self, sink: &Sink) -> Result<Committed> {
        let labels = sink.classifier.label(&self.features, sink.top_k);
        let labels = labels.map_err(|reason| anyhow!("the head could not be run: {reason}"))?;
        let outcomes = self.outcomes(&labels)?;
        let both = self.samples.iter().zip(&outcomes);
        let rows: Vec<_> = both.clone().map(|(sample, outcome)| sample.row(*outcome)).collect();
        let superseded = self.superseded(sink);
        let places = sink.index.append(sink.run, &rows, &superseded)?;
        let mut standing = sink.standing.write().unwrap_or_else(PoisonError::into_inner);
        for ((sample, outcome), place) in both.zip(places) {
            standing.set(sample.index.0, outcome, place);
        }
        drop(standing);
        let labelled = labels.iter().filter(|labels| labels.is_ok()).count() as u64;
        let scored = self.samples.into_iter().filter(|sample| sample.failure.is_none());
        let unscored = scored.zip(labels).filter_map(|(sample, labels)| Some((sample.key, labels.err()?)));
        Ok(Committed { labelled, unscored: unscored.collect() })
    }

    fn outcomes<'l>(&self, labels: &'l [Labels]) -> Result<Vec<Outcome<'l>>> {
        let mut labels = labels.iter();
        let outcome = |sample: &Sample| match sample.failure {
            Some(kind) => Ok(Outcome::Failed(kind)),
            None => match labels.next().ok_or_else(|| anyhow!("fewer scores than samples"))? {
                Ok(best) => Ok(Outcome::Labels(best)),
                Err(failure) => Ok(Outcome::Failed(failure.kind)),
            },
        };
        self.samples.iter().map(outcome).collect()
    }

    /// The rows that these take the place of: of other versions, and of failures that are tried again.
    fn superseded(&self, sink: &Sink) -> Vec<Place> {
        let standing = sink.standing.read().unwrap_or_else(PoisonError::into_inner);
        let earlier = |sample: &Sample| {
            let stands = standing.standing(sample.index.0).map(|best| best.place());
            [standing.superseded(sample.index.0), stands]
        };
        let mut superseded: Vec<_> = self.samples.iter().flat_map(earlier).flatten().collect();
        superseded.sort_unstable();
        superseded
    }
}
