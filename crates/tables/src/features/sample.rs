//! A sample and its feature.

use headwater_types::{ClassId, SampleFailure, SampleIndex, SampleKey};

/// A sample with its feature, or with the reason why it has none.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureSample {
    /// The global index of the sample.
    pub index: SampleIndex,
    /// The key of the sample. It is always there where the outcome is a feature.
    pub key: Option<SampleKey>,
    /// The class of the sample; `None` in a dataset, or for a sample, without labels.
    pub label: Option<ClassId>,
    /// The feature, f32 `[feature_len]`, or why there is none.
    pub outcome: Result<Vec<f32>, SampleFailure>,
}
