//! Bits in a row, the lowest of each byte first.

/// Writes bits, the last of them first: each before those that are there.
#[derive(Debug)]
pub(super) struct BitWriter {
    out: Vec<u8>,
    /// Where the whole bytes begin.
    at: usize,
    /// Bits that do not make up a byte yet.
    held: u64,
    count: u32,
}

/// Reads bits; beyond the end there are zeros.
#[derive(Clone, Copy, Debug)]
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    /// Bits that have been read.
    at: usize,
}

// === impl BitWriter ===

impl BitWriter {
    /// A writer of at most so many bits.
    pub(super) fn new(bits: usize) -> Self {
        let length = bits.div_ceil(8) + 8;
        Self { out: vec![0; length], at: length, held: 0, count: 0 }
    }

    /// Writes bits, above which `bits` has none. At most 64 are held: see [`Self::settle`].
    #[inline(always)]
    pub(super) fn push(&mut self, bits: u32, count: u32) {
        self.held = self.held << count | u64::from(bits);
        self.count += count;
    }

    /// Brings the bits that are held to where they stay, but for 7 at most.
    #[inline(always)]
    pub(super) fn settle(&mut self) {
        // Up to seven bytes, whichever number: a branch would often be guessed wrong.
        let upper = self.held << ((64 - self.count) % 64);
        if let Some(room) = self.out.get_mut(self.at.wrapping_sub(8)..self.at).and_then(|out| out.first_chunk_mut()) {
            *room = upper.to_le_bytes();
        }
        self.at -= self.count as usize / 8;
        self.count %= 8;
        self.held &= (1 << self.count) - 1;
    }

    /// Appends what was written.
    pub(super) fn finish(mut self, out: &mut Vec<u8>) {
        self.settle();
        let whole = &self.out[self.at..];
        if self.count == 0 {
            return out.extend_from_slice(whole);
        }
        // The first bits are the lowest of the first byte, and all others move up behind them.
        let mut below = self.held as u8;
        for byte in whole {
            out.push(below | byte << self.count);
            below = byte >> (8 - self.count);
        }
        out.push(below);
    }
}

// === impl BitReader ===

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next bits, of which at least 57 are there.
    #[inline(always)]
    pub(super) fn peek(&self) -> u64 {
        let start = self.at / 8;
        let window = match self.bytes.get(start..).and_then(|rest| rest.first_chunk()) {
            Some(window) => u64::from_le_bytes(*window),
            None => self.last(start),
        };
        window >> (self.at % 8)
    }

    #[inline(always)]
    pub(super) fn pass(&mut self, count: u32) {
        self.at += count as usize;
    }

    /// Whether exactly what is there has been read, but for bits that fill the last byte.
    pub(super) fn is_at_end(&self) -> bool {
        self.at.div_ceil(8) == self.bytes.len()
    }

    #[cold]
    fn last(&self, start: usize) -> u64 {
        let rest = self.bytes.get(start..).unwrap_or_default();
        rest.iter().take(8).rev().fold(0, |window, byte| window << 8 | u64::from(*byte))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bits_come_back(numbers in prop::collection::vec((any::<u32>(), 0_u32..=32), 0..200)) {
            let total = numbers.iter().map(|(_, count)| *count as usize).sum();
            let mut writer = BitWriter::new(total);
            let masked = |(bits, count): (u32, u32)| (u64::from(bits) & ((1 << count) - 1)) as u32;
            for &(bits, count) in numbers.iter().rev() {
                writer.push(masked((bits, count)), count);
                writer.settle();
            }
            let mut bytes = vec![7];
            writer.finish(&mut bytes);
            let mut reader = BitReader::new(&bytes[1..]);
            for &(bits, count) in &numbers {
                prop_assert_eq!(masked((reader.peek() as u32, count)), masked((bits, count)));
                reader.pass(count);
            }
            prop_assert!(reader.is_at_end());
        }
    }
}
