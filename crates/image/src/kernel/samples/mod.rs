//! The inner loops of the JPEG decoder: coefficients to samples, and samples to pixels.
//!
//! Invariant: libjpeg-turbo's bits. What its vector code computes on x86 machines is the measure, where it differs from its
//! plain code: only coefficients that no encoder writes overflow 16 bits, and both come to an end.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;
#[cfg(target_arch = "x86_64")]
mod transform;

#[cfg(test)]
mod tests;

use super::level::{Level, Set};

/// Coefficients of a block, and samples of one that is not scaled down.
pub(crate) const BLOCK: usize = 64;
/// Samples behind those that are asked for which [`pixels`] may read, and drop.
pub(crate) const MORE_SAMPLES: usize = 64;

/// Dequantised coefficients of the first row above which libjpeg-turbo's short cut for blocks without others comes out
/// differently from its long way: such blocks are transformed one at a time, each by the way that it would take.
#[cfg(target_arch = "x86_64")]
const WILD: i16 = 8192;

/// A row of blocks.
#[derive(Clone, Copy)]
pub(crate) struct Coefficients<'a> {
    /// Each in rows from the top.
    pub(crate) values: &'a [i16],
    /// The last place of each block, in the order in which they are coded, that may not be 0.
    pub(crate) last: &'a [u8],
    /// What they are multiplied with.
    pub(crate) quantisation: &'a [i16; BLOCK],
}

/// The samples of a row of pixels.
pub(crate) enum Samples<'a> {
    Grey(&'a [u8]),
    Rgb([&'a [u8]; 3]),
    /// As many of each.
    YCbCr {
        y: &'a [u8],
        chroma: [&'a [u8]; 2],
    },
    /// Chroma interpolated between half as many samples. The first of them is the neighbour on the left.
    Halved {
        y: &'a [u8],
        chroma: [&'a [u8]; 2],
    },
    /// And between rows: the nearer one, which weighs three times as much, and the other one.
    Quartered {
        y: &'a [u8],
        chroma: [[&'a [u8]; 2]; 2],
    },
}

/// Transforms a row of blocks to `side` x `side` samples each, side by side in rows that are `stride` apart.
pub(crate) fn inverse(level: Level, side: usize, blocks: Coefficients<'_>, out: &mut [u8], stride: usize) {
    match (side, level.set()) {
        // SAFETY: a level is proof of its instructions.
        #[cfg(target_arch = "x86_64")]
        (8, Set::Avx2) => unsafe { transform::wide256::inverse(blocks, out, stride) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        (8, Set::Avx512) => unsafe { transform::wide512::inverse(blocks, out, stride) },
        _ => portable::inverse(side, blocks, out, stride),
    }
}

/// Makes a row of RGB pixels. Rows of samples have [`MORE_SAMPLES`] readable behind the last.
pub(crate) fn pixels(level: Level, samples: &Samples<'_>, out: &mut [u8]) {
    match level.set() {
        Set::Portable => portable::pixels(samples, out),
        // SAFETY: a level is proof of its instructions.
        #[cfg(target_arch = "x86_64")]
        Set::Avx2 => unsafe { avx2::pixels(samples, out) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Set::Avx512 => unsafe { avx512::pixels(samples, out) },
    }
}
