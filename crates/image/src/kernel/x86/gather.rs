//! The horizontal pass as gathers: which bytes of a row make sixteen bytes of the result, and with what weights.
//!
//! Processors that look up 64 bytes at once take them from wherever they lie, so that no lane is left empty, and multiply
//! four bytes with four weights and add them up in one step. Weights have to be bytes for that: three digits to the base
//! 256, each from -128 to 127, the sums of which are put together again without loss.

use super::CHANNELS;
use crate::resample::Taps;

/// Bytes of a row that one look-up can choose from.
pub(super) const WINDOW: usize = 64;
/// Bytes of the result that one look-up feeds.
pub(super) const LANES: usize = 16;
/// Taps that each of them gets from it.
const TAPS: usize = 4;
/// Digits of a weight.
pub(super) const DIGITS: usize = 3;

/// The look-ups of all bytes of a row.
#[derive(Debug, Default)]
pub(in crate::kernel) struct Gather {
    looks: Vec<Look>,
    /// Look-ups one after another that make the same bytes; 0 where the taps are too far apart for a window.
    each: usize,
}

/// Four taps for each of sixteen bytes.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(super) struct Look {
    /// Which byte of the window goes with each weight.
    pub(super) picks: [u8; LANES * TAPS],
    /// The digits of the weights, the lowest first.
    pub(super) digits: [[i8; LANES * TAPS]; DIGITS],
    /// Where in the row the window starts.
    pub(super) from: usize,
}

// === impl Gather ===

impl Gather {
    /// Prepares for rows of `width` pixels. Nothing behind them is read.
    pub(in crate::kernel) fn set(&mut self, taps: &Taps, width: usize) {
        self.looks.clear();
        self.each = 0;
        let Some(latest) = (width * CHANNELS).checked_sub(WINDOW) else { return };
        let count = taps.len() * CHANNELS;
        for first in (0..count).step_by(LANES) {
            let lane = |i: usize| ((first + i).min(count - 1) / CHANNELS, (first + i) % CHANNELS);
            let (start, fours) = taps.fours(lane(0).0);
            if (taps.fours(lane(LANES - 1).0).0 - start + TAPS) * CHANNELS > WINDOW {
                return self.looks.clear();
            }
            for place in 0..fours.len() {
                let from = ((start + place * TAPS) * CHANNELS).min(latest);
                let mut look = Look { picks: [0; _], digits: [[0; _]; DIGITS], from };
                for i in 0..LANES {
                    let (pixel, channel) = lane(i);
                    let (start, fours) = taps.fours(pixel);
                    for (tap, weight) in fours[place].iter().flat_map(|pair| pair.weights()).enumerate() {
                        // Taps behind the row have weight 0: any byte will do.
                        let at = (start + place * TAPS + tap) * CHANNELS + channel - from;
                        look.picks[i * TAPS + tap] = at.min(WINDOW - 1) as u8;
                        for (digits, digit) in look.digits.iter_mut().zip(digits(weight)) {
                            digits[i * TAPS + tap] = digit;
                        }
                    }
                }
                self.looks.push(look);
            }
        }
        self.each = taps.fours(0).1.len();
    }

    /// For sixteen bytes after the other, the look-ups that make them; `None` where taps are too far apart.
    pub(super) fn blocks(&self) -> Option<impl Iterator<Item = &[Look]>> {
        (self.each > 0).then(|| self.looks.chunks_exact(self.each))
    }
}

/// A weight of at most 2^22 as `d0 + d1 x 2^8 + d2 x 2^16`.
fn digits(weight: i32) -> [i8; DIGITS] {
    let low = weight as i8;
    let rest = (weight - i32::from(low)) >> 8;
    let middle = rest as i8;
    [low, middle, ((rest - i32::from(middle)) >> 8) as i8]
}
