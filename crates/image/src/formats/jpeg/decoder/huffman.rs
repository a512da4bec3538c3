//! A Huffman table for the decoder: the meaning of a code, looked up by the next bits.

/// The meaning of a code: how long it is, how many bits its value takes, and how far it advances in the block.
///
/// ```text
/// 31       24 23   22 21     16 15   14 13    8 7   6 5     0
/// | advance  |   0   | 63 - size |  0   | code   |  0  | total |
/// ```
///
/// `code` and `total` are the bits of the code, and of code and value. Shifts take the low six bits of a number, so
/// that each field is had by one shift at most. `advance` is how many coefficients on the value stands: a run of zeros
/// and the one behind them; [`END_OF_BLOCK`] where no more come.
pub(super) type Entry = u32;

/// A table. Codes are prefix-free, and not one is all ones, as libjpeg demands.
pub(super) struct Huffman {
    /// Entries by the next [`LOOKAHEAD`] bits; 0 where the code is longer.
    fast: [Entry; 1 << LOOKAHEAD],
    /// For each length, 1 to 16: the first code that is longer or unknown, in the highest bits of 16; and what is to be
    /// added to a code for its place in `symbols`.
    longer: [(u32, i32); 17],
    entries: Vec<Entry>,
}

/// The meaning of a table's symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Differences of the first coefficient.
    Dc,
    /// Runs of zeros and the coefficient behind them.
    Ac,
}

/// Bits of a look-up. Measured: 11 is best, as more fall out of the first-level cache and fewer miss the longer codes.
const LOOKAHEAD: u32 = 11;
/// Longest code.
const LONGEST: usize = 16;
/// Most bits of a difference, by the standard; libjpeg refuses tables with more.
const MOST_DC_BITS: u8 = 15;
/// Most bits of a code and its value: twice as many are at hand when two are taken. No encoder comes near: a value of
/// 8-bit samples has 10 bits, 11 where it is a difference.
const MOST_BITS: u32 = 28;
/// Advance of a symbol behind which a block has no more coefficients: the bit above all places in a block, and
/// [`DAMAGED`]'s.
pub(super) const END_OF_BLOCK: u32 = 128;
/// The bit that is set in a place which lies behind a block: only damage leads there.
pub(super) const DAMAGED: u32 = 64;
/// Ends a block as damaged.
const UNKNOWN: Entry = DAMAGED << 24 | 63 << 16 | 1 << 8 | 1;
/// Sixteen zeros.
const ZEROS: u8 = 0xf0;

// === impl Huffman ===

impl Huffman {
    /// The table of a DHT segment, which states how many codes there are of each length, and their symbols. `None`
    /// where libjpeg would refuse it.
    pub(super) fn new(class: Class, counts: &[u8; LONGEST], symbols: &[u8]) -> Option<Self> {
        let mut fast = [0; 1 << LOOKAHEAD];
        let mut longer = [(0, 0); LONGEST + 1];
        let mut entries = Vec::with_capacity(symbols.len());
        let mut code = 0_u32;
        for (length, &count) in (1_u32..).zip(counts) {
            longer[length as usize].1 = entries.len() as i32 - code as i32;
            for _ in 0..count {
                let &symbol = symbols.get(entries.len())?;
                let entry = entry(class, symbol, length)?;
                if length <= LOOKAHEAD {
                    let spread = LOOKAHEAD - length;
                    let start = (code << spread) as usize;
                    fast.get_mut(start..start + (1 << spread))?.fill(entry);
                }
                entries.push(entry);
                code += 1;
            }
            if count > 0 && code >= 1 << length {
                return None;
            }
            longer[length as usize].0 = code << (LONGEST as u32 - length);
            code <<= 1;
        }
        (entries.len() == symbols.len()).then_some(Self { fast, longer, entries })
    }

    /// The entry of the code that the bits begin with, highest bit first.
    #[inline(always)]
    pub(super) fn look_up(&self, bits: u64) -> Entry {
        let entry = self.fast[(bits >> (64 - LOOKAHEAD)) as usize];
        if entry != 0 { entry } else { self.look_further(bits) }
    }

    /// The entry of a code that is longer than a look-up. For bits that are no code it ends the block as damaged.
    #[cold]
    #[inline(never)]
    fn look_further(&self, bits: u64) -> Entry {
        let next = (bits >> (64 - LONGEST)) as u32;
        let longer = (LOOKAHEAD as usize + 1..=LONGEST).find(|&length| next < self.longer[length].0);
        let found = longer.and_then(|length| {
            let place = (next >> (LONGEST - length)) as i32 + self.longer[length].1;
            self.entries.get(place as usize).copied()
        });
        found.unwrap_or(UNKNOWN)
    }
}

fn entry(class: Class, symbol: u8, length: u32) -> Option<Entry> {
    let size = u32::from(symbol & 15);
    let advance = match (class, symbol, size) {
        (Class::Dc, ..=MOST_DC_BITS, _) => 0,
        (Class::Dc, ..) => return None,
        (Class::Ac, ZEROS, _) => 16,
        // libjpeg takes every run without a value for the end.
        (Class::Ac, _, 0) => END_OF_BLOCK,
        (Class::Ac, ..) => u32::from(symbol >> 4) + 1,
    };
    if length + size > MOST_BITS {
        return Some(UNKNOWN);
    }
    Some(advance << 24 | (63 - size) << 16 | length << 8 | (length + size))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Codes of 1 to 16 bits, one of each, whose symbols are their lengths.
    fn ladder() -> Huffman {
        Huffman::new(Class::Ac, &[1; 16], &(1..=16).collect::<Vec<u8>>()).unwrap()
    }

    #[test]
    fn a_code_of_any_length_is_found() {
        let table = ladder();
        for length in 1..=16_u32 {
            // length - 1 ones and a zero.
            let bits = !(1 << (64 - length)) & u64::MAX << (64 - length);
            assert_eq!(table.look_up(bits), entry(Class::Ac, length as u8, length).unwrap(), "{length}");
        }
        assert_eq!(table.look_up(u64::MAX) >> 24, DAMAGED);
    }

    #[test]
    fn tables_that_libjpeg_refuses_are_refused() {
        assert!(Huffman::new(Class::Dc, &[1; 16], &[16; 16]).is_none(), "a difference of 16 bits");
        let mut counts = [0; 16];
        counts[0] = 2;
        assert!(Huffman::new(Class::Ac, &counts, &[1, 2]).is_none(), "a code of all ones");
        assert!(Huffman::new(Class::Ac, &[1; 16], &[1; 15]).is_none(), "a symbol is missing");
        assert!(Huffman::new(Class::Ac, &[1; 16], &[1; 17]).is_none(), "a symbol is left over");
    }
}
