//! The horizontal pass as gathers: which bytes of a row make sixteen bytes of the result, and with what weights.
//!
//! Processors that look up 64 bytes at once take them from wherever they lie, so that no lane is left empty, and
//! multiply four bytes with four weights and add them up in one step. Weights have to be bytes for that: three digits
//! to the base 256, each from -128 to 127, the sums of which are put together again without loss.

use crate::rgb::CHANNELS;
use crate::taps::{Pair, Taps};

/// Bytes of a row that one look-up can choose from.
pub(super) const WINDOW: usize = 64;
/// Bytes of the result that one look-up feeds.
pub(super) const LANES: usize = 16;
/// Digits of a weight.
pub(super) const DIGITS: usize = 3;
/// Taps that a lane gets from one look-up.
const TAPS: usize = 4;

/// The look-ups of all bytes of a row.
#[derive(Debug, Default)]
pub(in crate::kernel) struct Gather {
    looks: Vec<Look>,
    /// Look-ups one after another that make the same bytes; 0 where the taps are too far apart for a window.
    each: usize,
    digits: Vec<[[i8; TAPS]; DIGITS]>,
}

/// Four taps for each of sixteen bytes.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(super) struct Look {
    /// Which byte of the window goes with each weight; only the lowest six bits count.
    pub(super) picks: [[u8; TAPS]; LANES],
    /// The digits of the weights, the lowest first.
    pub(super) digits: [[[i8; TAPS]; LANES]; DIGITS],
    /// Where in the row the window starts.
    pub(super) from: usize,
}

// === impl Gather ===

impl Gather {
    /// Prepares for rows of `width` pixels. Nothing behind them is read.
    pub(in crate::kernel) fn set(&mut self, taps: &Taps, width: usize) {
        self.looks.clear();
        self.digits.clear();
        self.each = 0;
        let Some(latest) = (width * CHANNELS).checked_sub(WINDOW) else { return };
        let each = taps.fours(0).1.len();
        let bytes = taps.len() * CHANNELS;
        let pixel_of = |byte: usize| byte.min(bytes - 1) / CHANNELS;
        let start_of = |byte: usize| taps.fours(pixel_of(byte)).0;
        let mut blocks = (0..bytes).step_by(LANES);
        if blocks.any(|first| (start_of(first + LANES - 1) - start_of(first) + TAPS) * CHANNELS > WINDOW) {
            return;
        }
        for index in 0..taps.len() {
            self.digits.extend(taps.fours(index).1.iter().map(digits));
        }
        for first in (0..bytes).step_by(LANES) {
            for place in 0..each {
                let from = ((start_of(first) + place * TAPS) * CHANNELS).min(latest);
                let mut look = Look { picks: [[0; _]; _], digits: [[[0; _]; _]; _], from };
                for lane in 0..LANES {
                    let (pixel, channel) = (pixel_of(first + lane), (first + lane) % CHANNELS);
                    let pick = (taps.fours(pixel).0 + place * TAPS) * CHANNELS + channel - from;
                    look.picks[lane] = [0, 1, 2, 3].map(|tap| (pick + tap * CHANNELS) as u8);
                    for (lanes, digits) in look.digits.iter_mut().zip(self.digits[pixel * each + place]) {
                        lanes[lane] = digits;
                    }
                }
                self.looks.push(look);
            }
        }
        self.each = each;
    }

    /// For sixteen bytes after the other, the look-ups that make them; `None` where taps are too far apart.
    pub(super) fn blocks(&self) -> Option<impl Iterator<Item = &[Look]>> {
        (self.each > 0).then(|| self.looks.chunks_exact(self.each))
    }
}

/// Weights from -2^22 to 1.9 x 2^22 as `d0 + d1 x 2^8 + d2 x 2^16`.
fn digits(four: &[Pair; 2]) -> [[i8; TAPS]; DIGITS] {
    let [[a, b], [c, d]] = four.map(Pair::weights);
    let weights = [a, b, c, d];
    // To round to the digit below is to leave a rest from -128 to 127.
    [weights.map(|w| w as i8), weights.map(|w| ((w + 0x80) >> 8) as i8), weights.map(|w| ((w + 0x8080) >> 16) as i8)]
}
