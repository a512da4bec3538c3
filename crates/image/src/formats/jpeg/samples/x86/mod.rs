//! The inner loops with vectors, for x86 machines.

pub(super) mod colors;
pub(super) mod transform;
