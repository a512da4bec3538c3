//! The ends of strips of entropy-coded data: a marker is a 0xff that is not followed by the 0 which stuffs it.

use wide::u8x16;

/// Offsets of the markers in a scan's data, in order.
///
/// Why not `memchr`? One byte in 256 is a stuffed 0xff, and stopping at each takes several times as long as the search.
pub(super) struct Markers<'a> {
    data: &'a [u8],
    /// Offset of the block that is searched next.
    at: usize,
    /// Markers of the block before that have not been given yet, lowest bit first.
    found: u32,
}

/// Bytes that are searched together. The byte behind them is read too.
const BLOCK: usize = 32;
const HALF: usize = BLOCK / 2;

// === impl Markers ===

impl<'a> Markers<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0, found: 0 }
    }
}

impl Iterator for Markers<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        while self.found == 0 {
            let rest = self.data.get(self.at..)?;
            self.found = match rest.first_chunk::<{ BLOCK + 1 }>() {
                Some(block) => markers_in(block),
                None if rest.is_empty() => return None,
                None => markers_at_end(rest),
            };
            self.at += BLOCK;
        }
        let offset = self.found.trailing_zeros() as usize;
        self.found &= self.found - 1;
        Some(self.at - BLOCK + offset)
    }
}

fn markers_in(block: &[u8; BLOCK + 1]) -> u32 {
    let half = |from: usize| {
        let load = |at: usize| block[at..].first_chunk::<HALF>().map_or(u8x16::ZERO, |&bytes| u8x16::new(bytes));
        let markers = load(from).simd_eq(u8x16::splat(0xff)) & !load(from + 1).simd_eq(u8x16::ZERO);
        markers.to_bitmask()
    };
    half(0) | half(HALF) << HALF
}

/// The markers in less than a block. The very last byte is not followed by another, and counts for none.
fn markers_at_end(rest: &[u8]) -> u32 {
    let pairs = rest.iter().zip(&rest[1..]).enumerate();
    pairs.filter(|(_, pair)| matches!(pair, (0xff, 1..))).fold(0, |found, (at, _)| found | 1 << at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_marker_is_found_and_no_stuffing(
            data in prop::collection::vec(prop::sample::select(vec![0, 1, 0xd0, 0xff, 0xff]), 0..200),
        ) {
            let plain = (0..data.len().saturating_sub(1)).filter(|&at| data[at] == 0xff && data[at + 1] != 0);
            prop_assert_eq!(Markers::new(&data).collect::<Vec<_>>(), plain.collect::<Vec<_>>());
        }
    }
}
