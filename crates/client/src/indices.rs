//! Which samples are asked for, and in which order.

use std::ops::Range;
use std::sync::Arc;

use headwater_types::SampleIndex;

/// Indices into the dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Indices {
    /// The indices from the first up to, and not including, the second.
    Range(Range<u64>),
    /// The indices of this list, in its order.
    List(Arc<[SampleIndex]>),
}

// === impl Indices ===

impl Indices {
    /// How many indices there are.
    pub fn len(&self) -> u64 {
        match self {
            Self::Range(range) => range.end.saturating_sub(range.start),
            Self::List(indices) => indices.len() as u64,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All indices, in order.
    pub fn to_vec(&self) -> Vec<SampleIndex> {
        match self {
            Self::Range(range) => range.clone().map(SampleIndex).collect(),
            Self::List(indices) => indices.to_vec(),
        }
    }

    /// Whether the predicate holds for some index among those that are held.
    pub(crate) fn any_in(&self, held: Range<u64>, predicate: impl Fn(u64) -> bool) -> bool {
        match self {
            Self::Range(range) => (range.start.max(held.start)..range.end.min(held.end)).any(predicate),
            Self::List(indices) => {
                let mut held = indices.iter().map(|index| index.0).filter(|index| held.contains(index));
                held.any(predicate)
            }
        }
    }

    /// The largest index.
    pub(crate) fn max(&self) -> Option<u64> {
        match self {
            Self::Range(range) => (!range.is_empty()).then(|| range.end - 1),
            Self::List(indices) => indices.iter().map(|index| index.0).max(),
        }
    }
}

impl From<Range<u64>> for Indices {
    fn from(range: Range<u64>) -> Self {
        Self::Range(range)
    }
}

impl From<Vec<SampleIndex>> for Indices {
    fn from(indices: Vec<SampleIndex>) -> Self {
        Self::List(indices.into())
    }
}

impl FromIterator<SampleIndex> for Indices {
    fn from_iter<I: IntoIterator<Item = SampleIndex>>(indices: I) -> Self {
        Self::List(indices.into_iter().collect())
    }
}
