//! Features that a client brings to be labelled.

use headwater_types::caps::LABEL_BLOCK_ROWS;
use headwater_types::{Digest, FailureKind, SampleIndex};

use super::opened::{bytes, digest};
use super::relabel::Relabel;
use crate::failure::{kind_from, kind_to};
use crate::proto;
use crate::status::Invalid;

/// Features of samples of a partition, for a labelling that was opened: at most [`LABEL_BLOCK_ROWS`] samples.
#[derive(Clone, Debug, PartialEq)]
pub struct BroughtFeatures {
    /// The labelling, as it was opened.
    pub labelling: Relabel,
    /// The partition, as it was opened.
    pub dataset_digest: Digest,
    /// The labeller, as it was opened.
    pub digest: Digest,
    /// The samples that have features.
    pub indices: Vec<SampleIndex>,
    /// Their features, one after the other.
    pub features: Vec<f32>,
    /// The samples that have none.
    pub failed: Vec<FailedFeature>,
}

/// A sample without features, or without scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailedFeature {
    /// The sample's place in the partition.
    pub index: SampleIndex,
    /// What went wrong.
    pub kind: FailureKind,
}

// === impl BroughtFeatures ===

impl BroughtFeatures {
    /// The samples that it brings.
    pub fn len(&self) -> usize {
        self.indices.len() + self.failed.len()
    }

    /// Whether it brings none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<BroughtFeatures> for proto::LabelFeaturesRequest {
    fn from(brought: BroughtFeatures) -> Self {
        let BroughtFeatures { labelling, dataset_digest, digest, indices, features, failed } = brought;
        Self {
            labelling: Some(labelling.into()),
            dataset_digest: bytes(dataset_digest),
            digest: bytes(digest),
            indices: indices.into_iter().map(|index| index.0).collect(),
            features: features.into_iter().flat_map(f32::to_le_bytes).collect::<Vec<_>>().into(),
            failed: failed.into_iter().map(Into::into).collect(),
        }
    }
}

impl TryFrom<proto::LabelFeaturesRequest> for BroughtFeatures {
    type Error = Invalid;

    fn try_from(request: proto::LabelFeaturesRequest) -> Result<Self, Invalid> {
        let samples = request.indices.len() + request.failed.len();
        if samples == 0 || samples > LABEL_BLOCK_ROWS {
            return Err(Invalid::new(format!("features of {samples} samples: 1 to {LABEL_BLOCK_ROWS} in one call")));
        }
        let (numbers, rest) = request.features.as_chunks::<4>();
        let rows = request.indices.len();
        let fits = if rows == 0 { numbers.is_empty() } else { numbers.len().is_multiple_of(rows) };
        if !rest.is_empty() || !fits {
            let bytes = request.features.len();
            return Err(Invalid::new(format!("{bytes} bytes are no features of {rows} samples")));
        }
        let features = numbers.iter().copied().map(f32::from_le_bytes).collect();
        let labelling = request.labelling.ok_or_else(|| Invalid::new("features for no labelling"))?;
        let labelling = Relabel::try_from(labelling)?;
        if labelling.from_scratch {
            return Err(Invalid::new("features cannot begin a labelling from scratch: open it so"));
        }
        Ok(Self {
            labelling,
            dataset_digest: digest(&request.dataset_digest)?,
            digest: digest(&request.digest)?,
            indices: request.indices.into_iter().map(SampleIndex).collect(),
            features,
            failed: request.failed.into_iter().map(Into::into).collect(),
        })
    }
}

impl From<FailedFeature> for proto::FailedFeature {
    fn from(FailedFeature { index, kind }: FailedFeature) -> Self {
        Self { index: index.0, kind: kind_to(kind).into() }
    }
}

impl From<proto::FailedFeature> for FailedFeature {
    fn from(failed: proto::FailedFeature) -> Self {
        Self { index: SampleIndex(failed.index), kind: kind_from(failed.kind()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_survive_the_wire_to_the_bit_and_what_breaks_the_rules_is_refused() {
        let brought = BroughtFeatures {
            labelling: Relabel::new("d".parse().unwrap(), "m".parse().unwrap()),
            dataset_digest: Digest::of(b"d"),
            digest: Digest::of(b"l"),
            indices: vec![SampleIndex(3), SampleIndex(u64::MAX)],
            features: vec![1.5, -0.0, f32::MIN_POSITIVE, f32::INFINITY],
            failed: vec![FailedFeature { index: SampleIndex(7), kind: FailureKind::Malformed }],
        };
        let written = proto::LabelFeaturesRequest::from(brought.clone());
        assert_eq!(BroughtFeatures::try_from(written.clone()), Ok(brought));
        let refused = |change: &dyn Fn(&mut proto::LabelFeaturesRequest)| {
            let mut broken = written.clone();
            change(&mut broken);
            BroughtFeatures::try_from(broken).unwrap_err().to_string()
        };
        assert!(refused(&|broken| broken.features = vec![0; 15].into()).contains("15 bytes"));
        assert!(refused(&|broken| broken.features = vec![0; 12].into()).contains("12 bytes"));
        assert!(refused(&|broken| broken.indices = vec![1; LABEL_BLOCK_ROWS]).contains("257 samples"));
        assert!(refused(&|broken| broken.labelling = None).contains("no labelling"));
        assert!(refused(&|broken| broken.digest = Default::default()).contains("digest"));
        let scratch = |broken: &mut proto::LabelFeaturesRequest| {
            broken.labelling.as_mut().unwrap().from_scratch = true;
        };
        assert!(refused(&scratch).contains("scratch"));
        let nothing = |broken: &mut proto::LabelFeaturesRequest| {
            (broken.indices, broken.failed, broken.features) = (Vec::new(), Vec::new(), Default::default());
        };
        assert!(refused(&nothing).contains("0 samples"));
        let unclaimed = |broken: &mut proto::LabelFeaturesRequest| broken.indices = Vec::new();
        assert!(refused(&unclaimed).contains("no features of 0 samples"));
    }
}
