//! The inner loops of the two passes of the resize, and of bytes to floats, for the instructions that the machine has.
//!
//! Invariant: every [`Level`] gives the same bits. The passes use integers throughout. Floats come from arithmetic only
//! where that agrees with the table on all 256 bytes ([`crate::floats`]).
//!
//! Never: memory by address. Loads and stores go through checked slices. The only unsafe step is to call code that was
//! compiled for instructions which some machines do not have.
#![cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "calls of code for certain instructions; a level is proof that the machine has them")
)]

mod portable;
mod rows;
#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(test)]
mod tests;

pub(crate) use rows::{OVERREAD, ROWS, padded_row};
#[cfg(target_arch = "x86_64")]
use x86::{Gather, avx2, avx512};

use crate::floats::Floats;
use crate::level::{Level, Set};
use crate::rgb::CHANNELS;
use crate::taps::{Axis, Pair, Taps};

/// The horizontal pass, prepared for an axis.
#[derive(Default)]
pub(crate) struct Across {
    level: Level,
    taps: Taps,
    copies: bool,
    #[cfg(target_arch = "x86_64")]
    gather: Gather,
}

/// Makes one row out of `count` rows, which lie `stride` bytes apart in `rows`. Reads nothing behind the last row.
pub(crate) fn vertical(level: Level, rows: &[u8], stride: usize, count: usize, pairs: &[Pair], out: &mut [u8]) {
    match level.set() {
        Set::Portable => portable::vertical(rows, stride, count, pairs, out),
        // SAFETY: a level is proof of its instructions.
        #[cfg(target_arch = "x86_64")]
        Set::Avx2 => unsafe { avx2::vertical(rows, stride, count, pairs, out) },
        // SAFETY: a level is proof of its instructions.
        #[cfg(target_arch = "x86_64")]
        Set::Avx512 => unsafe { avx512::vertical(rows, stride, count, pairs, out) },
    }
}

/// Writes a row of pixels into a row of each plane, mirrored left to right where asked.
pub(crate) fn floats(level: Level, floats: &Floats, pixels: &[u8], mirror: bool, out: &mut [&mut [f32]; CHANNELS]) {
    let done = match (level.set(), floats.steps()) {
        #[cfg(target_arch = "x86_64")]
        (Set::Avx2, Some(steps)) => {
            // SAFETY: a level is proof of its instructions.
            unsafe { avx2::floats(steps, pixels, mirror, out) }
        }
        #[cfg(target_arch = "x86_64")]
        (Set::Avx512, Some(steps)) => {
            // SAFETY: a level is proof of its instructions.
            unsafe { avx512::floats(steps, pixels, mirror, out) }
        }
        _ => 0,
    };
    let left = pixels.len() / CHANNELS - done;
    let out = out.each_mut().map(|plane| if mirror { &mut plane[..left] } else { &mut plane[done..] });
    portable::floats(floats.table(), &pixels[done * CHANNELS..], mirror, out);
}

// === impl Across ===

impl Across {
    /// A pass with the instructions of a level.
    pub(crate) fn at(level: Level) -> Self {
        Self { level, ..Self::default() }
    }

    /// Prepares for rows that begin with the first pixel that `axis` reads.
    pub(crate) fn set(&mut self, axis: &Axis) {
        if !self.taps.set(axis) {
            return;
        }
        self.copies = self.taps.copies();
        #[cfg(target_arch = "x86_64")]
        if self.level.set() == Set::Avx512 {
            let (first, end) = axis.range();
            self.gather.set(&self.taps, (end - first) as usize);
        }
    }

    /// Whether the pass copies pixels, from the first on.
    pub(crate) fn copies(&self) -> bool {
        self.copies
    }

    /// The taps of the axis that was set.
    pub(crate) fn taps(&self) -> &Taps {
        &self.taps
    }

    /// Resamples rows, each with [`OVERREAD`] readable bytes behind its last pixel, into rows of `out`, which are
    /// `stride` bytes long ([`padded_row`]).
    pub(crate) fn resample(&self, input: [&[u8]; ROWS], out: &mut [u8], stride: usize) {
        match self.level.set() {
            Set::Portable => portable::horizontal(input, &self.taps, out, stride),
            // SAFETY: a level is proof of its instructions.
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => unsafe { avx2::horizontal(input, &self.taps, out, stride) },
            // SAFETY: a level is proof of its instructions.
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => unsafe { avx512::horizontal(input, &self.taps, &self.gather, out, stride) },
        }
    }
}
