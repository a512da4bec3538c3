//! The weights of taps, in the fixed point of Pillow.

/// Fraction bits of a weight: Pillow's `PRECISION_BITS`.
pub(crate) const FRACTION_BITS: u32 = 22;
/// Half of the last place, added before the fraction is cut off.
pub(crate) const HALF: i32 = 1 << (FRACTION_BITS - 1);
/// Bits of a weight's low half, see [`Pair`].
pub(crate) const LOW_BITS: u32 = 11;

/// The weights of two neighbouring source pixels, each split as `high x 2^11 + low` with a `low` of at least 0, so that
/// both halves fit in the 16 bits that processors multiply fast. The sums of the halves are put together again without
/// loss. Weights lie between -1/6 and 7/6: a cubic's have a sign, and by the edge, where some are missing, one may be
/// above 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) high: [i16; 2],
    pub(crate) low: [i16; 2],
}

// === impl Pair ===

impl Pair {
    /// The weights, put together.
    pub(crate) fn weights(self) -> [i32; 2] {
        [0, 1].map(|i| (i32::from(self.high[i]) << LOW_BITS) + i32::from(self.low[i]))
    }
}
