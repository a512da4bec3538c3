//! How long the pieces of a transfer are. A connection that is cut loses at most the piece that was on its way, so that
//! pieces are short against the whole; and each takes a round trip, so that they are no shorter than they must be.

use headwater_types::ByteCount;
use headwater_types::caps::MAX_MODEL_PIECE;

/// The pieces of a transfer.
#[derive(Debug)]
pub(super) struct Pieces {
    /// Bytes that may still be lost.
    left: u64,
    last: u64,
}

/// Bytes of a transfer, in thousandths, that connections may lose which are cut. What frames and headers take comes on
/// top.
const MAY_BE_LOST: u64 = 12;
/// The part of what may still be lost that one piece has: after twenty cuts there is some left.
const PART: u64 = 8;
/// Least bytes of a piece: less than three packets of a network would be mostly headers.
const LEAST: u64 = 4 << 10;

// === impl Pieces ===

impl Pieces {
    pub(super) fn new(bytes: ByteCount) -> Self {
        Self { left: bytes.get() / 1000 * MAY_BE_LOST, last: 0 }
    }

    /// Bytes of the next piece.
    pub(super) fn next(&mut self) -> usize {
        self.last = (self.left / PART).clamp(LEAST, MAX_MODEL_PIECE as u64);
        ByteCount::new(self.last).as_usize()
    }

    /// The last piece was lost.
    pub(super) fn lost(&mut self) {
        self.left = self.left.saturating_sub(std::mem::take(&mut self.last));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_cuts_lose_less_than_two_hundredths() {
        for bytes in [14_000_000, 100_000_000, 2_000_000_000_u64] {
            let mut pieces = Pieces::new(ByteCount::new(bytes));
            let mut lost = 0;
            for _ in 0..20 {
                lost += pieces.next() as u64;
                pieces.lost();
            }
            assert!(lost * 1000 <= bytes * 15, "{lost} of {bytes}");
            assert!(bytes / (Pieces::new(ByteCount::new(bytes)).next() as u64) < 700, "round trips of {bytes}");
        }
    }
}
