//! What a delta may ask for before it is applied.

use headwater_types::ByteCount;
use headwater_types::caps::{MAX_DELTA_PARTS, MAX_MODEL_BYTES};

/// Limits on a delta.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of the delta itself.
    pub max_delta: ByteCount,
    /// Most bytes of the model that it makes.
    pub max_target: ByteCount,
    /// Most parts that it puts the model together from.
    pub max_parts: usize,
}

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        // A delta may be a thousandth larger than its model.
        let max_delta = ByteCount::new(MAX_MODEL_BYTES.get() + MAX_MODEL_BYTES.get() / 512);
        Self { max_delta, max_target: MAX_MODEL_BYTES, max_parts: MAX_DELTA_PARTS }
    }
}
