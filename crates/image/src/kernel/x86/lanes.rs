//! Lanes of 128 bits: most instructions move bytes within lanes only.

use crate::kernel::rows::ROWS;
use crate::rgb::CHANNELS;

/// Bytes of a lane.
pub(super) const LANE: usize = 16;

/// The rows of a block's output.
pub(super) fn rows_of(out: &mut [u8], stride: usize) -> [&mut [u8]; ROWS] {
    let (upper, lower) = out.split_at_mut(2 * stride);
    let (first, second) = upper.split_at_mut(stride);
    let (third, fourth) = lower[..2 * stride].split_at_mut(stride);
    [first, second, third, fourth]
}

/// Where lanes of four pixels have the bytes of each channel, widened to 32 bits; as they are, and mirrored. The lane
/// with the last pixels holds four bytes before them, so that nothing behind them is read.
pub(super) const fn planes<const BYTES: usize>() -> [[[u8; BYTES]; CHANNELS]; 2] {
    // The highest bit stands for a zero.
    let mut planes = [[[0x80; BYTES]; CHANNELS]; 2];
    let last = BYTES / LANE - 1;
    let mut at = 0;
    while at < BYTES {
        let (lane, pixel) = (at / LANE, at % LANE / 4);
        let mut channel = 0;
        while channel < CHANNELS {
            let before = if lane == last { 4 } else { 0 };
            planes[0][channel][at] = (before + pixel * CHANNELS + channel) as u8;
            let before = if lane == 0 { 4 } else { 0 };
            planes[1][channel][at] = (before + (3 - pixel) * CHANNELS + channel) as u8;
            channel += 1;
        }
        at += 4;
    }
    planes
}
