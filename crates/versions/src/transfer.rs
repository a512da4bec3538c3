//! What is announced of a model before its bytes come.

use headwater_delta::{DeltaError, Facts};
use headwater_types::{ByteCount, Digest};

/// A model that comes, whole or as its difference from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// BLAKE3 of the bytes that travel.
    pub digest: Digest,
    /// How many these are.
    pub bytes: ByteCount,
    /// BLAKE3 of the model.
    pub target: Digest,
    /// Size of the model.
    pub target_bytes: ByteCount,
    /// The model from which the delta was made; `None` where the model travels whole.
    pub base: Option<Digest>,
}

// === impl Transfer ===

impl Transfer {
    /// What is announced of a whole model.
    pub fn whole(model: &[u8]) -> Self {
        let (digest, bytes) = (Digest::of(model), ByteCount::from(model.len()));
        Self { digest, bytes, target: digest, target_bytes: bytes, base: None }
    }

    /// What is announced of a delta.
    ///
    /// # Errors
    /// Bytes that are no delta.
    pub fn delta(delta: &[u8]) -> Result<Self, DeltaError> {
        let facts = headwater_delta::facts(delta)?;
        let digest = Digest::of(delta);
        let Facts { delta_bytes: bytes, target_bytes, base, target, .. } = facts;
        Ok(Self { digest, bytes, target, target_bytes, base: Some(base) })
    }

    /// Whether a delta says of itself what was announced.
    pub(crate) fn is_of(&self, facts: &Facts) -> bool {
        let announced = (self.bytes, self.target, self.target_bytes, self.base);
        announced == (facts.delta_bytes, facts.target, facts.target_bytes, Some(facts.base))
    }
}
