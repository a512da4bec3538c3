//! The features of a training, in memory.

use headwater_features::Extractor;
use headwater_learn::{FeatureSet, LearnError, Moments};
use headwater_types::ClassId;
use headwater_wire::training::FeatureMoments;

use super::dealt::Dealt;
use super::memory::Held;
use crate::labelling::Failing;

/// The features of a server's samples, each for training or kept from it.
pub(super) struct Gathered {
    pub(super) train: FeatureSet,
    pub(super) held_out: FeatureSet,
    pub(super) moments: Moments,
    /// Samples to train on, by class.
    pub(super) labels: Vec<u64>,
    /// Samples without a feature.
    pub(super) failed: Failing,
    pub(super) held: Held,
}

// === impl Gathered ===

impl Gathered {
    pub(super) fn new(dim: usize, classes: usize, held: Held) -> Self {
        let set = || FeatureSet::new(dim, classes);
        let (moments, labels) = (Moments::new(dim), vec![0; classes]);
        Self { train: set(), held_out: set(), moments, labels, failed: Failing::default(), held }
    }

    /// Takes a sample's feature.
    ///
    /// # Errors
    /// A feature of another length, or that is not finite: neither comes from a pipeline.
    pub(super) fn add(&mut self, sample: &Dealt, feature: &[f32]) -> Result<(), LearnError> {
        if sample.held_out {
            return self.held_out.push(feature, sample.label);
        }
        self.train.push(feature, sample.label)?;
        self.moments.add(feature);
        if let Some(count) = self.labels.get_mut(sample.label.0 as usize) {
            *count += 1;
        }
        Ok(())
    }

    /// The moments as they travel.
    pub(super) fn moments(&self) -> FeatureMoments {
        let Self { moments, .. } = self;
        FeatureMoments { count: moments.count(), mean: moments.mean().to_vec(), squares: moments.squares().to_vec() }
    }
}

/// Bytes that the features of so many samples take.
pub(super) fn memory_of(samples: usize, model: &Extractor) -> u64 {
    (samples as u64).saturating_mul((model.feature_len() * size_of::<f32>() + size_of::<ClassId>()) as u64)
}
