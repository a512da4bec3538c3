//! How a head is trained, and what must be so that it can be.

use headwater_learn::{Head, HeadKind, TrainOptions};
use headwater_tables::features::FeatureProvenance;
use headwater_types::ByteCount;

use crate::error::TrainingError;

/// How features are shared out, and how a head learns from them.
#[derive(Clone, Copy, Debug)]
pub struct TrainingOptions {
    /// The share of the samples that is kept from training, 0 to below 1.
    pub validation_fraction: f64,
    /// The most memory for the features of one run, and of all runs together, that are kept for training.
    pub memory: ByteCount,
    /// The kind of head.
    pub head: HeadKind,
    /// How it is optimised. The seed also shares out the samples.
    pub train: TrainOptions,
}

// === impl TrainingOptions ===

impl TrainingOptions {
    /// The number of classes that a head on these features tells apart.
    ///
    /// # Errors
    /// [`TrainingError::TooFewClasses`] where there are fewer than two.
    pub fn classes(provenance: &FeatureProvenance) -> Result<usize, TrainingError> {
        let classes = provenance.classes.len();
        if classes < 2 { Err(TrainingError::TooFewClasses { classes }) } else { Ok(classes) }
    }

    /// A head that has learned nothing yet.
    ///
    /// # Errors
    /// [`TrainingError`]: the dataset has too few classes, its validation features would not fit into memory, or there
    /// is no head of this kind.
    pub fn untrained(&self, provenance: &FeatureProvenance) -> Result<Head, TrainingError> {
        let classes = Self::classes(provenance)?;
        let kept = provenance.samples as f64 * self.validation_fraction;
        let (needed, limit) = ((kept * provenance.feature_len as f64 * 4.0) as u64, self.memory);
        if needed > limit.get() {
            return Err(TrainingError::ValidationMemory { needed: ByteCount::new(needed), limit });
        }
        Ok(Head::new(self.head, provenance.feature_len, classes, self.train.seed)?)
    }
}
