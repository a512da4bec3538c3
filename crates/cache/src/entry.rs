//! What is remembered under a key.

use bytes::Bytes;

/// What came of making something of a sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// What was made.
    Bytes(Bytes),
    /// Nothing can be made, for this reason. The reason is remembered, so that the making is not tried in every epoch.
    Refused(Bytes),
}

// === impl Entry ===

impl Entry {
    /// The bytes of what was made, or of the reason.
    pub(crate) fn payload(&self) -> &Bytes {
        match self {
            Self::Bytes(bytes) | Self::Refused(bytes) => bytes,
        }
    }
}
