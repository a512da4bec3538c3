//! How the rows lie that the horizontal pass reads and writes.

use crate::rgb::CHANNELS;

/// Rows that the pass works on at once: each weight is fetched once for all of them.
pub(crate) const ROWS: usize = 4;
/// Bytes behind the last pixel of a row that the pass may read, and multiply by 0.
pub(crate) const OVERREAD: usize = 16;

/// Length of a row that the pass writes: sixteen pixels at a time at most, the last with a byte more than it has.
pub(crate) fn padded_row(pixels: usize) -> usize {
    pixels.next_multiple_of(16) * CHANNELS + 4
}
