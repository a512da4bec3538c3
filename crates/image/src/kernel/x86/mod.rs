//! The inner loops for x86 machines.

pub(in crate::kernel) mod avx2;
pub(in crate::kernel) mod avx512;
mod gather;
mod lanes;

pub(in crate::kernel) use gather::Gather;
