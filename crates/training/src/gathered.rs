//! One run's features, gathered while the run before is trained on.

use futures::StreamExt;
use headwater_cli::Failures;
use headwater_extraction::Arrivals;
use headwater_learn::{LearnError, Replay, in_validation};
use headwater_tables::features::{FeatureProvenance, FeatureSample};
use headwater_types::{ClassId, SampleKey};
use tokio_util::sync::CancellationToken;

use crate::error::TrainingError;
use crate::milestone::{Listener, Milestone};
use crate::options::TrainingOptions;
use crate::span::Span;

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
    /// A run that begins to be gathered now.
    pub(crate) fn new(provenance: &FeatureProvenance, options: &TrainingOptions) -> Result<Self, LearnError> {
        let (dim, classes) = (provenance.feature_len, provenance.classes.len());
        Ok(Self {
            train: Replay::new(dim, classes, options.memory, options.train.seed)?,
            validation: Vec::new(),
            unlabelled: 0,
            failures: Failures::default(),
            span: Span::begin(),
        })
    }

    /// Takes samples until they end.
    pub(crate) async fn take_all(
        &mut self,
        mut arrivals: Arrivals,
        options: &TrainingOptions,
        listener: &Listener,
        stop: &CancellationToken,
    ) -> Result<(), TrainingError> {
        loop {
            match stop.run_until_cancelled(arrivals.next()).await.ok_or(TrainingError::Stopped)? {
                None => return Ok(()),
                Some(sample) => self.take(sample?, options)?,
            }
            listener(Milestone::SampleCame);
        }
    }

    /// Puts a sample where it belongs.
    pub(crate) fn take(&mut self, sample: FeatureSample, options: &TrainingOptions) -> Result<(), LearnError> {
        let FeatureSample { index, key, label, outcome } = sample;
        let kind = match (outcome, &key, label) {
            (Ok(feature), Some(key), Some(label)) => {
                if in_validation(key, options.train.seed, options.validation_fraction) {
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
