//! Small numbers in runs: definition levels, and positions in a dictionary.
//!
//! ```text
//! run:    length << 1, as a varint │ the value, in as many bytes as its bits take
//! packed: (groups << 1) | 1        │ 8 values of each group, bit after bit, the lowest first
//! ```

use super::fault::Fault;
use super::thrift::varint;

/// Reads exactly `count` numbers of `width` bits. The caller bounds `count`: a run of any length takes a few bytes.
pub(super) fn read(mut bytes: &[u8], width: u32, count: usize) -> Result<Vec<u32>, Fault> {
    if width > 32 {
        return Err(Fault::Broken("a page's numbers have more than 32 bits"));
    }
    let mut values = Vec::with_capacity(count);
    while values.len() < count {
        let (head, length) = varint(bytes)?;
        bytes = &bytes[length..];
        let (left, size) = ((count - values.len()) as u64, head >> 1);
        let size = if head & 1 == 0 { size.min(left) } else { size.saturating_mul(8).min(left) };
        if size == 0 {
            return Err(Fault::Broken("a page has a run of no length"));
        }
        let used = if head & 1 == 0 {
            run(bytes, width, size, &mut values)?
        } else {
            packed(bytes, width, size, &mut values)?
        };
        // Writers may leave out the end of the last group.
        let whole = if head & 1 == 0 { used } else { ((head >> 1).saturating_mul(u64::from(width))) as usize };
        bytes = bytes.get(whole.max(used)..).unwrap_or_default();
    }
    Ok(values)
}

fn run(bytes: &[u8], width: u32, count: u64, values: &mut Vec<u32>) -> Result<usize, Fault> {
    let length = width.div_ceil(8) as usize;
    let bytes = bytes.get(..length).ok_or(Fault::Short("a run in a page"))?;
    let value = bytes.iter().rev().fold(0, |value, &byte| value << 8 | u32::from(byte));
    values.extend(std::iter::repeat_n(value, count as usize));
    Ok(length)
}

fn packed(bytes: &[u8], width: u32, count: u64, values: &mut Vec<u32>) -> Result<usize, Fault> {
    let length = (count * u64::from(width)).div_ceil(8) as usize;
    let bytes = bytes.get(..length).ok_or(Fault::Short("a packed run in a page"))?;
    let mut bits = Bits::new(bytes);
    values.extend((0..count).map(|_| bits.next(width) as u32));
    Ok(length)
}

/// Bits of bytes, the lowest first; zeros behind their end.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    held: u128,
    count: u32,
}

// === impl Bits ===

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, held: 0, count: 0 }
    }

    /// The next number of so many bits, at most 64.
    pub(super) fn next(&mut self, width: u32) -> u64 {
        while self.count < width {
            let (byte, rest) = self.bytes.split_first().map_or((0, &[][..]), |(&byte, rest)| (byte, rest));
            self.held |= u128::from(byte) << self.count;
            (self.bytes, self.count) = (rest, self.count + 8);
        }
        let value = self.held & ((1u128 << width) - 1);
        self.held >>= width;
        self.count -= width;
        value as u64
    }
}
