//! The inner loops for every machine; and the measure for those with vectors.

pub(super) mod colors;
pub(super) mod transform;
