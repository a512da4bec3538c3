//! The inner loops of the JPEG decoder: coefficients to samples, and samples to pixels.
//!
//! Invariant: libjpeg-turbo's bits. What its vector code computes on x86 machines is the measure, where it differs from
//! its plain code: only coefficients that no encoder writes overflow 16 bits, and both come to an end.

#![cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "calls of code for certain instructions; a level is proof that the machine has them")
)]

mod block;
mod portable;
mod row;
#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(test)]
mod tests;

pub(super) use block::Coefficients;
pub(super) use row::{MORE_SAMPLES, Samples};

#[cfg(target_arch = "x86_64")]
use x86::{colors, transform};

use crate::level::{Level, Set};

/// Transforms a row of blocks to `side` x `side` samples each, side by side in rows that are `stride` apart.
pub(super) fn inverse(level: Level, side: usize, blocks: Coefficients<'_>, out: &mut [u8], stride: usize) {
    match (side, level.set()) {
        // SAFETY: a level is proof of its instructions.
        #[cfg(target_arch = "x86_64")]
        (8, Set::Avx2) => unsafe { transform::avx2::inverse(blocks, out, stride) },
        // SAFETY: a level is proof of its instructions.
        #[cfg(target_arch = "x86_64")]
        (8, Set::Avx512) => unsafe { transform::avx512::inverse(blocks, out, stride) },
        _ => portable::transform::inverse(side, blocks, out, stride),
    }
}

/// Makes a row of RGB pixels. Rows of samples have [`MORE_SAMPLES`] readable behind the last.
pub(super) fn pixels(level: Level, samples: &Samples<'_>, out: &mut [u8]) {
    match level.set() {
        Set::Portable => portable::colors::pixels(samples, out),
        // SAFETY: a level is proof of its instructions.
        #[cfg(target_arch = "x86_64")]
        Set::Avx2 => unsafe { colors::avx2::pixels(samples, out) },
        // SAFETY: a level is proof of its instructions.
        #[cfg(target_arch = "x86_64")]
        Set::Avx512 => unsafe { colors::avx512::pixels(samples, out) },
    }
}
