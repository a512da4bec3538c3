//! Bits in a row, the lowest of each byte first.

/// Writes as many bits as it was made for.
#[derive(Debug)]
pub(super) struct BitWriter {
    out: Vec<u8>,
    /// Where the next whole byte goes.
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
    /// A writer of so many bits behind what is there.
    pub(super) fn after(mut out: Vec<u8>, bits: usize) -> Self {
        let at = out.len();
        out.resize(at + bits.div_ceil(8) + 8, 0);
        Self { out, at, held: 0, count: 0 }
    }

    /// Writes up to 56 bits, above which `bits` has none. Bits that there is no room for are lost.
    #[inline(always)]
    pub(super) fn push(&mut self, bits: u64, count: u32) {
        self.held |= bits << self.count;
        self.count += count;
        if let Some(room) = self.out.get_mut(self.at..).and_then(|out| out.first_chunk_mut()) {
            *room = self.held.to_le_bytes();
        }
        // Up to seven bytes, whichever number: a branch would often be guessed wrong.
        self.at += self.count as usize / 8;
        self.held >>= self.count & !7;
        self.count %= 8;
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.out.truncate(self.at + usize::from(self.count > 0));
        self.out
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
        fn bits_come_back(numbers in prop::collection::vec((any::<u64>(), 0_u32..57), 0..200)) {
            let total = numbers.iter().map(|(_, count)| *count as usize).sum();
            let mut writer = BitWriter::after(vec![7], total);
            let masked = |(bits, count): (u64, u32)| bits & ((1 << count) - 1);
            numbers.iter().for_each(|&(bits, count)| writer.push(masked((bits, count)), count));
            let bytes = writer.finish();
            let mut reader = BitReader::new(&bytes[1..]);
            for &(bits, count) in &numbers {
                prop_assert_eq!(masked((reader.peek(), count)), masked((bits, count)));
                reader.pass(count);
            }
            prop_assert!(reader.is_at_end());
        }
    }
}
