//! What is remembered under a key.

use bytes::Bytes;

/// What came of making something of a sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// What was made.
    Bytes(Bytes),
    /// It cannot be made, for this reason: remembered too, so that it is not tried for every epoch.
    Refused(Bytes),
}

// === impl Entry ===

impl Entry {
    /// The bytes of either.
    pub(crate) fn payload(&self) -> &Bytes {
        match self {
            Self::Bytes(bytes) | Self::Refused(bytes) => bytes,
        }
    }
}
