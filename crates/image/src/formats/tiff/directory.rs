//! The first directory of a TIFF or BigTIFF.

use headwater_types::Format;

use crate::error::ImageError;

/// Where the first directory is. What it says is read when it is asked for, so that nothing is allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Directory {
    pub(super) big_endian: bool,
    /// Whether offsets and counts have 8 bytes instead of 4.
    wide: bool,
    /// Offset of the first entry.
    entries: usize,
    count: usize,
}

/// The values of an entry.
#[derive(Clone, Copy)]
pub(super) struct Values<'a> {
    bytes: &'a [u8],
    unit: usize,
    big_endian: bool,
}

pub(super) const FILL_ORDER: u16 = 266;
pub(super) const PLANAR: u16 = 284;
/// Most entries that libtiff takes for a directory.
const MOST_ENTRIES: usize = 4096;

/// Whether content begins as a TIFF does. The third and fourth spelling are no valid ones, but Pillow takes them.
pub(crate) fn begins(bytes: &[u8]) -> bool {
    let known: [&[u8]; 6] = [b"MM\0*", b"II*\0", b"MM*\0", b"II\0*", b"MM\0+", b"II+\0"];
    known.iter().any(|prefix| bytes.starts_with(prefix))
}

// === impl Directory ===

impl Directory {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, ImageError> {
        let order = Self {
            big_endian: bytes.starts_with(b"MM"),
            wide: bytes.get(2..4).is_some_and(|magic| magic.contains(&b'+')),
            entries: 0,
            count: 0,
        };
        let (at, counter) = if order.wide { (order.number(bytes, 8, 8), 8) } else { (order.number(bytes, 4, 4), 2) };
        let start = at.and_then(|at| usize::try_from(at).ok()).ok_or_else(ends)?;
        let count = order.number(bytes, start, counter).ok_or_else(|| malformed("its directory is not there"))?;
        let count = usize::try_from(count).ok().filter(|count| *count <= MOST_ENTRIES);
        let count = count.ok_or_else(|| malformed(format!("its directory has more than {MOST_ENTRIES} entries")))?;
        Ok(Self { entries: start + counter, count, ..order })
    }

    /// The values of a tag; `None` where it has none, or they are no whole numbers, or not in the file.
    pub(super) fn values<'a>(&self, bytes: &'a [u8], tag: u16) -> Option<Values<'a>> {
        let found = self.found(bytes, tag)?;
        let unit = match found.kind {
            1 => 1,
            3 => 2,
            4 | 13 => 4,
            16 => 8,
            _ => return None,
        };
        Some(Values { bytes: found.bytes, unit, big_endian: self.big_endian })
    }

    /// The first value of a tag.
    pub(super) fn first(&self, bytes: &[u8], tag: u16) -> Option<u64> {
        self.values(bytes, tag)?.get(0)
    }

    /// The bytes of a tag, whatever they are.
    pub(super) fn bytes<'a>(&self, bytes: &'a [u8], tag: u16) -> Option<&'a [u8]> {
        self.found(bytes, tag).map(|found| found.bytes)
    }

    fn found<'a>(&self, bytes: &'a [u8], tag: u16) -> Option<Found<'a>> {
        let size = if self.wide { 20 } else { 12 };
        (0..self.count)
            .map(|entry| self.entries + entry * size)
            .take_while(|at| at + size <= bytes.len())
            .filter(|at| self.number(bytes, *at, 2) == Some(tag.into()))
            .find_map(|at| self.entry(bytes, at))
    }

    fn entry<'a>(&self, bytes: &'a [u8], at: usize) -> Option<Found<'a>> {
        let kind = self.number(bytes, at + 2, 2)?;
        let unit: u64 = match kind {
            1 | 2 | 6 | 7 => 1,
            3 | 8 => 2,
            4 | 9 | 11 | 13 => 4,
            5 | 10 | 12 | 16 => 8,
            _ => return None,
        };
        let word = if self.wide { 8 } else { 4 };
        let length = self.number(bytes, at + 4, word)?.checked_mul(unit)?;
        let length = usize::try_from(length).ok()?;
        let value = at + 4 + word;
        let start = match length <= word {
            true => value,
            false => usize::try_from(self.number(bytes, value, word)?).ok()?,
        };
        let bytes = bytes.get(start..)?.get(..length)?;
        (!bytes.is_empty()).then_some(Found { kind, bytes })
    }

    /// The number in `length` bytes.
    fn number(&self, bytes: &[u8], at: usize, length: usize) -> Option<u64> {
        Some(number(bytes.get(at..)?.get(..length)?, self.big_endian))
    }
}

/// An entry of the directory.
struct Found<'a> {
    kind: u64,
    bytes: &'a [u8],
}

// === impl Values ===

impl Values<'_> {
    pub(super) fn len(&self) -> usize {
        self.bytes.len() / self.unit
    }

    pub(super) fn get(&self, index: usize) -> Option<u64> {
        let start = index.checked_mul(self.unit)?;
        Some(number(self.bytes.get(start..)?.get(..self.unit)?, self.big_endian))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u64> {
        self.bytes.chunks_exact(self.unit).map(|value| number(value, self.big_endian))
    }
}

/// At most 8 bytes, as a number.
fn number(bytes: &[u8], big_endian: bool) -> u64 {
    let join = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    if big_endian { bytes.iter().fold(0, join) } else { bytes.iter().rev().fold(0, join) }
}

fn ends() -> ImageError {
    malformed("it ends in its header")
}

pub(super) fn malformed(reason: impl Into<String>) -> ImageError {
    ImageError::malformed(Format::Tiff, reason)
}

pub(super) fn unsupported(feature: impl Into<String>) -> ImageError {
    ImageError::UnsupportedFeature { format: Format::Tiff, feature: feature.into() }
}
