//! What is measured of a sample at a way.

use crate::measured::Observation;

/// One of the numbers that are measured of a sample at a way, and predicted for samples that are not measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quantity {
    /// Bytes of the payload.
    Bytes,
    /// CPU seconds at the server.
    Storage,
    /// CPU seconds of finishing.
    Trainer,
}

// === impl Quantity ===

impl Quantity {
    /// Every quantity.
    pub(super) const ALL: [Self; 3] = [Self::Bytes, Self::Storage, Self::Trainer];

    /// The quantity of a sample that was measured.
    pub(super) fn of(self, observation: &Observation) -> f64 {
        match self {
            Self::Bytes => observation.bytes as f64,
            Self::Storage => observation.storage,
            Self::Trainer => observation.trainer,
        }
    }
}
