//! The inner loops with vectors, for x86 machines.

pub(super) mod colors;
mod steps;
pub(super) mod transform;
