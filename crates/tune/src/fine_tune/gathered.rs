//! One run's features, gathered while the run before is trained on.

use futures::StreamExt;
use headwater_cli::{Bar, Failures};
use headwater_learn::{LearnError, Replay, in_validation};
use headwater_types::{ByteCount, ClassId, SampleKey, Seed};
use tokio_util::sync::CancellationToken;

use super::FineTuneError;
use super::clock::Span;
use crate::source::Arrivals;
use headwater_tables::features::{FeatureProvenance, FeatureSample};

/// How a run is gathered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GatherOptions {
    /// Share of the samples that is kept from training.
    pub(crate) validation_fraction: f64,
    /// Bound on the features of one run that are kept for training.
    pub(crate) memory: ByteCount,
    pub(crate) seed: Seed,
}

/// The features of one run. Each of its samples is counted in exactly one place.
pub(crate) struct Gathered {
    /// For training.
    pub(crate) train: Replay,
    /// Kept from training.
    pub(crate) validation: Vec<(Vec<f32>, ClassId)>,
    /// Samples without a label: nothing can be learned from them.
    pub(crate) unlabelled: u64,
    pub(crate) failures: Failures,
    /// When it was gathered.
    pub(crate) span: Span,
}

// === impl Gathered ===

impl Gathered {
    pub(crate) fn new(provenance: &FeatureProvenance, options: &GatherOptions, span: Span) -> Result<Self, LearnError> {
        let (dim, classes) = (provenance.feature_len, provenance.classes.len());
        Ok(Self {
            train: Replay::new(dim, classes, options.memory, options.seed)?,
            validation: Vec::new(),
            unlabelled: 0,
            failures: Failures::default(),
            span,
        })
    }

    /// Takes arrivals until they end.
    pub(crate) async fn take_all(
        &mut self,
        mut arrivals: Arrivals,
        options: &GatherOptions,
        bar: &Bar,
        stop: &CancellationToken,
    ) -> Result<(), FineTuneError> {
        loop {
            match stop.run_until_cancelled(arrivals.next()).await.ok_or(FineTuneError::Stopped)? {
                None => return Ok(()),
                Some(arrival) => self.take(arrival?, options)?,
            }
            bar.add(1);
        }
    }

    /// Puts a sample where it belongs.
    pub(crate) fn take(&mut self, arrival: FeatureSample, options: &GatherOptions) -> Result<(), LearnError> {
        let FeatureSample { index, key, label, outcome } = arrival;
        let kind = match (outcome, &key, label) {
            (Ok(feature), Some(key), Some(label)) => {
                if in_validation(key, options.seed, options.validation_fraction) {
                    self.validation.push((feature, label));
                    return Ok(());
                }
                return self.train.push(&feature, label);
            }
            (Ok(_), ..) => {
                self.unlabelled += 1;
                return Ok(());
            }
            (Err(failure), key, _) => {
                tracing::debug!(index = index.0, ?key, %failure, "leaving out a sample: it has no feature");
                failure.kind
            }
        };
        self.failures.add(kind, index, key.as_ref().map(SampleKey::as_str));
        Ok(())
    }

    /// Samples that were tried.
    pub(crate) fn images(&self) -> u64 {
        self.train.seen() + self.validation.len() as u64 + self.unlabelled + self.failures.count()
    }
}
