//! A part: consecutive samples of a dataset, finished.

use std::ops::Range;

use headwater_types::{ClassId, FailureKind, SampleFailure, SampleIndex, SampleKey};
use serde::{Deserialize, Serialize};

/// A row for each sample of a range that has a feature, a failure for each that has none, and the indices of those that
/// were not extracted yet; each in index order, and together exactly the range.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// The global indices that the part answers for.
    pub range: Range<u64>,
    /// The samples that have features.
    pub rows: Vec<FeatureRow>,
    /// The features of the rows, f32 `[rows, feature_len]`.
    pub features: Vec<f32>,
    /// The samples that have none.
    pub failed: Vec<FailedSample>,
    /// The samples that are still to be extracted: the extraction was stopped before they came.
    pub missing: Vec<SampleIndex>,
}

/// A sample that has a feature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureRow {
    /// The key of the sample.
    pub key: SampleKey,
    /// The class of the sample; `None` in a dataset, or for a sample, without labels.
    pub label: Option<ClassId>,
}

/// A sample that could not be delivered; also a line of `_failures.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedSample {
    /// The global index of the sample.
    pub index: SampleIndex,
    /// The key of the sample, where the server gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The kind of failure, by its name in the file.
    #[serde(with = "kind_name")]
    pub kind: FailureKind,
    /// What failed, in words for people.
    pub message: String,
}

/// Longest message that is kept, in bytes: a part whose every sample failed must still have a small footer.
const MAX_MESSAGE_BYTES: usize = 256;

// === impl Part ===

impl Part {
    /// Rows with their global indices and features.
    pub fn iter(&self, feature_len: usize) -> impl Iterator<Item = (SampleIndex, &FeatureRow, &[f32])> {
        let mut absent = self.absent().into_iter().peekable();
        let present = self.range.clone().filter(move |index| absent.next_if_eq(index).is_none());
        let features = self.features.chunks_exact(feature_len);
        present.zip(&self.rows).zip(features).map(|((index, row), feature)| (SampleIndex(index), row, feature))
    }

    /// The samples that have no row, in index order.
    fn absent(&self) -> Vec<u64> {
        let failed = self.failed.iter().map(|failed| failed.index.0);
        let mut absent: Vec<_> = failed.chain(self.missing.iter().map(|index| index.0)).collect();
        absent.sort_unstable();
        absent
    }

    /// Whether rows, features, failures and what is missing make up the range.
    pub fn is_consistent(&self, feature_len: usize) -> bool {
        let span = self.range.end.saturating_sub(self.range.start);
        let absent = self.absent();
        (self.rows.len() + absent.len()) as u64 == span
            && self.rows.len().checked_mul(feature_len) == Some(self.features.len())
            && absent.iter().all(|index| self.range.contains(index))
            && absent.windows(2).all(|pair| pair[0] < pair[1])
            && self.failed.is_sorted_by_key(|failed| failed.index)
            && self.missing.is_sorted()
    }
}

// === impl FailedSample ===

impl FailedSample {
    /// The failure of this sample, with its message cut to what a footer can hold.
    pub fn new(index: SampleIndex, key: Option<&SampleKey>, failure: &SampleFailure) -> Self {
        let message = &failure.message;
        Self {
            index,
            key: key.map(|key| key.as_str().to_owned()),
            kind: failure.kind,
            message: message[..message.floor_char_boundary(MAX_MESSAGE_BYTES)].to_owned(),
        }
    }
}

mod kind_name {
    use headwater_types::FailureKind;
    use serde::{Deserialize, Deserializer, Serializer, de};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(super) fn serialize<S: Serializer>(kind: &FailureKind, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(kind.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<FailureKind, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
