//! The rows of one labeller over one dataset.

use std::fmt;

use headwater_types::Digest;

use crate::labeller::Labeller;

/// A run's number. It is never given to another run of the same [`LabelIndex`](crate::LabelIndex), also where that is
/// made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub(crate) u32);

/// What one labeller said of one dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The run's number.
    pub id: RunId,
    /// The dataset.
    pub dataset: Digest,
    /// What labels it.
    pub labeller: Labeller,
    /// When it was begun, in seconds since 1970.
    pub begun: u64,
    /// The rows that are not dead.
    pub rows: u64,
}

// === impl RunId ===

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
