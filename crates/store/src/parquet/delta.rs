//! Numbers as differences in blocks: lengths of values, and integers.
//!
//! ```text
//! head:  values in a block │ parts of a block │ values in all │ first value
//! block: least difference │ bits of each part, one byte each │ each part: its differences from the least, packed
//! ```

use super::fault::Fault;
use super::hybrid::Bits;
use super::thrift::varint;

/// Reads the numbers at the beginning of these bytes, at most `most`, and says where the next byte behind them is.
pub(super) fn read(bytes: &[u8], most: usize) -> Result<(Vec<i64>, usize), Fault> {
    let mut at = 0;
    let mut next = || {
        let (value, length) = varint(&bytes[at..])?;
        at += length;
        Ok::<_, Fault>(value)
    };
    let (block, parts, count, first) = (next()?, next()?, next()?, unzigzag(next()?));
    let wrong = block == 0 || parts == 0 || block % parts != 0 || block / parts % 8 != 0;
    if wrong || block > 1 << 20 || count > most as u64 {
        return Err(Fault::Broken("a page's numbers are in blocks that they cannot have"));
    }
    let (part, count) = ((block / parts) as usize, count as usize);
    let mut values = Vec::with_capacity(count);
    values.extend((count > 0).then_some(first));
    while values.len() < count {
        at += read_block(&bytes[at..], parts as usize, part, count, &mut values)?;
    }
    Ok((values, at))
}

/// Reads one block, and says how many bytes it has.
fn read_block(bytes: &[u8], parts: usize, part: usize, count: usize, values: &mut Vec<i64>) -> Result<usize, Fault> {
    let short = || Fault::Short("a block of numbers in a page");
    let (least, mut at) = varint(bytes)?;
    let least = unzigzag(least);
    let widths = bytes.get(at..at + parts).ok_or_else(short)?;
    at += parts;
    for &width in widths {
        if values.len() == count {
            break;
        }
        if width > 64 {
            return Err(Fault::Broken("a page's numbers have more than 64 bits"));
        }
        let length = part / 8 * usize::from(width);
        let mut bits = Bits::new(bytes.get(at..at + length).ok_or_else(short)?);
        at += length;
        for _ in 0..part.min(count - values.len()) {
            let last = values.last().copied().unwrap_or_default();
            let difference = least.wrapping_add(bits.next(u32::from(width)).cast_signed());
            values.push(last.wrapping_add(difference));
        }
    }
    Ok(at)
}

fn unzigzag(coded: u64) -> i64 {
    (coded >> 1).cast_signed() ^ -(coded & 1).cast_signed()
}
