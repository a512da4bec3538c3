//! The orientation that EXIF states, read as Pillow reads it, whatever type the entry has.
//!
//! EXIF is a TIFF file: byte order, an offset, and there a directory of 12-byte entries.
//!
//! ```text
//! "II*\0" or "MM\0*" | offset u32 | ... | entries u16 | entry | entry | ...
//!
//! entry: tag u16 | type u16 | count u32 | value or its offset, 4 bytes
//! ```
//!
//! Follows no pointer but the directory's and the one entry's, and never fails: a photo whose EXIF is broken counts as
//! upright.

/// The orientation of a photo that is stored upright.
pub(crate) const UPRIGHT: u8 = 1;

const PREFIX: &[u8] = b"Exif\0\0";
const TAG_ORIENTATION: u16 = 0x0112;
const ENTRY: usize = 12;

/// What an EXIF block states of the orientation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stated {
    /// The block does not mention it: another place may.
    Missing,
    /// The block states this orientation, 1 to 8; [`UPRIGHT`] stands for a value outside of that.
    Turn(u8),
    /// The block cannot be read.
    Broken,
}

/// Reads the orientation of an EXIF block, with or without its `Exif\0\0`.
pub(crate) fn orientation(block: &[u8]) -> Stated {
    // Some writers leave two prefixes, and Pillow takes both off.
    let tiff = block.strip_prefix(PREFIX).unwrap_or(block);
    let tiff = tiff.strip_prefix(PREFIX).unwrap_or(tiff);
    if tiff.is_empty() {
        return Stated::Missing;
    }
    match Tiff::open(tiff) {
        Some(tiff) => tiff.orientation(),
        None => Stated::Broken,
    }
}

/// The smallest EXIF block that states an orientation.
pub(crate) fn block(orientation: u8) -> [u8; 32] {
    let mut block = *b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0";
    block[25] = orientation;
    block
}

/// A TIFF file.
struct Tiff<'a> {
    bytes: &'a [u8],
    big_endian: bool,
    /// Where the first directory begins.
    directory: usize,
}

/// The type of an entry's values.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Bytes and text: an orientation is neither.
    Text,
    Unsigned,
    Signed,
    Float,
    Rational,
    SignedRational,
}

// === impl Kind ===

impl Kind {
    /// The kind of a type's number, and the bytes of one value; `None` for unknown types, whose entries are passed
    /// over.
    fn of(number: u16) -> Option<(Self, usize)> {
        Some(match number {
            1 | 2 | 7 => (Self::Text, 1),
            3 => (Self::Unsigned, 2),
            4 | 13 => (Self::Unsigned, 4),
            5 => (Self::Rational, 8),
            6 => (Self::Signed, 1),
            8 => (Self::Signed, 2),
            9 => (Self::Signed, 4),
            10 => (Self::SignedRational, 8),
            11 => (Self::Float, 4),
            12 => (Self::Float, 8),
            16 => (Self::Unsigned, 8),
            _ => return None,
        })
    }
}

// === impl Tiff ===

impl<'a> Tiff<'a> {
    fn open(bytes: &'a [u8]) -> Option<Self> {
        // The second spelling of each is no valid header, but Pillow takes it. Pillow does not take BigTIFF.
        let big_endian = match bytes.get(..4)? {
            b"MM\0*" | b"MM*\0" => true,
            b"II*\0" | b"II\0*" => false,
            _ => return None,
        };
        let mut this = Self { bytes, big_endian, directory: 0 };
        this.directory = usize::try_from(this.number(bytes.get(4..8)?)).ok()?;
        Some(this)
    }

    /// The orientation of the first entry that has the tag, a known type, and a value.
    fn orientation(&self) -> Stated {
        let Some(directory) = self.bytes.get(self.directory..) else { return Stated::Missing };
        let Some((count, entries)) = directory.split_first_chunk::<2>() else { return Stated::Missing };
        let count = usize::try_from(self.number(count)).unwrap_or(usize::MAX);
        let mut elsewhere = 0_usize;
        for entry in entries.as_chunks::<ENTRY>().0.iter().take(count) {
            let Some((kind, unit)) = Kind::of(self.number(&entry[2..4]) as u16) else { continue };
            let size = (self.number(&entry[4..8]) as usize).saturating_mul(unit);
            let inline = size <= 4;
            if !inline {
                // Values that together are more than all there is are passed over; one that ends outside ends the
                // reading.
                elsewhere = elsewhere.saturating_add(size);
                if elsewhere > self.bytes.len() {
                    continue;
                }
            }
            let value = match inline {
                true => entry[8..].get(..size),
                false => self.bytes.get(self.number(&entry[8..]) as usize..).and_then(|rest| rest.get(..size)),
            };
            let Some(value) = value else { return Stated::Missing };
            if self.number(&entry[..2]) as u16 == TAG_ORIENTATION && !value.is_empty() {
                let turn = self.whole(kind, &value[..unit]).filter(|turn| (1..=8).contains(turn));
                return Stated::Turn(turn.map_or(UPRIGHT, |turn| turn as u8));
            }
        }
        Stated::Missing
    }

    /// A value as a whole number, if it is one.
    fn whole(&self, kind: Kind, value: &[u8]) -> Option<i64> {
        let (front, back) = value.split_at(value.len() / 2);
        match kind {
            Kind::Text => None,
            Kind::Unsigned => i64::try_from(self.number(value)).ok(),
            Kind::Signed => Some(self.signed(value)),
            Kind::Rational => quotient(self.number(front) as i64, self.number(back) as i64),
            Kind::SignedRational => quotient(self.signed(front), self.signed(back)),
            Kind::Float => {
                let bits = self.number(value);
                let float = if value.len() == 4 { f32::from_bits(bits as u32).into() } else { f64::from_bits(bits) };
                (float.fract() == 0.0 && float.abs() < 1e9).then_some(float as i64)
            }
        }
    }

    /// At most 8 bytes, read as a number without a sign.
    fn number(&self, bytes: &[u8]) -> u64 {
        let join = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        if self.big_endian { bytes.iter().fold(0, join) } else { bytes.iter().rev().fold(0, join) }
    }

    fn signed(&self, bytes: &[u8]) -> i64 {
        let unused = 64 - 8 * bytes.len().clamp(1, 8) as u32;
        (self.number(bytes) << unused).cast_signed() >> unused
    }
}

fn quotient(above: i64, below: i64) -> Option<i64> {
    (below != 0 && above % below == 0).then(|| above / below)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for value in 1..=8 {
            assert_eq!(orientation(&super::block(value)), Stated::Turn(value));
        }
    }

    /// A block of two entries, the second with this type, count and value, and more bytes behind.
    fn block(order: &[u8; 4], kind: u16, count: u32, value: &[u8], behind: &[u8]) -> Vec<u8> {
        let big = order[0] == b'M';
        let short = |v: u16| if big { v.to_be_bytes() } else { v.to_le_bytes() };
        let long = |v: u32| if big { v.to_be_bytes() } else { v.to_le_bytes() };
        let mut block = b"Exif\0\0".to_vec();
        block.extend(order);
        block.extend(long(8));
        block.extend(short(2));
        for (tag, kind, count, value) in [(0x010f, 3, 1, &[9, 9][..]), (TAG_ORIENTATION, kind, count, value)] {
            block.extend(short(tag));
            block.extend(short(kind));
            block.extend(long(count));
            block.extend(value);
            block.extend(vec![0; 4 - value.len()]);
        }
        block.extend(long(0));
        block.extend(behind);
        block
    }

    /// The offset of the bytes behind a block.
    const BEHIND: u32 = 8 + 2 + 2 * 12 + 4;

    #[test]
    fn both_byte_orders_are_read_and_nonsense_is_upright() {
        for (order, big) in [(b"II*\0", false), (b"MM\0*", true), (b"II\0*", false), (b"MM*\0", true)] {
            for value in [0_u16, 1, 2, 3, 4, 5, 6, 7, 8, 9, 300] {
                let bytes = if big { value.to_be_bytes() } else { value.to_le_bytes() };
                let block = block(order, 3, 1, &bytes, &[]);
                let turn = if (1..=8).contains(&value) { value as u8 } else { UPRIGHT };
                assert_eq!(orientation(&block), Stated::Turn(turn));
                assert_eq!(orientation(&block[6..]), Stated::Turn(turn));
                assert_eq!(orientation(&[PREFIX, &block].concat()), Stated::Turn(turn));
            }
        }
    }

    #[test]
    fn every_type_that_holds_a_whole_number_turns() {
        let elsewhere = BEHIND.to_be_bytes();
        let six = |kind, count, value: &[u8], behind: &[u8]| orientation(&block(b"MM\0*", kind, count, value, behind));
        for (kind, value) in
            [(3, &[0, 6][..]), (8, &[0, 6]), (4, &[0, 0, 0, 6]), (9, &[0, 0, 0, 6]), (13, &[0, 0, 0, 6])]
        {
            assert_eq!(six(kind, 1, value, &[]), Stated::Turn(6), "type {kind}");
        }
        assert_eq!(six(6, 1, &[6], &[]), Stated::Turn(6));
        assert_eq!(six(11, 1, &6_f32.to_be_bytes(), &[]), Stated::Turn(6));
        for (kind, behind) in [
            (5, [0, 0, 0, 12, 0, 0, 0, 2]),
            (10, [0xff, 0xff, 0xff, 0xfa, 0xff, 0xff, 0xff, 0xff]),
            (12, 6_f64.to_be_bytes()),
            (16, [0, 0, 0, 0, 0, 0, 0, 6]),
        ] {
            assert_eq!(six(kind, 1, &elsewhere, &behind), Stated::Turn(6), "type {kind}");
        }
        assert_eq!(six(3, 2, &[0, 6, 0, 3], &[]), Stated::Turn(6), "the first of two");
        assert_eq!(six(4, 2, &elsewhere, &[0, 0, 0, 6, 0, 0, 0, 3]), Stated::Turn(6), "the first of two");
        for kind in [1, 2, 7] {
            assert_eq!(six(kind, 1, &[6], &[]), Stated::Turn(UPRIGHT), "bytes are no number");
        }
        assert_eq!(six(5, 1, &elsewhere, &[0, 0, 0, 6, 0, 0, 0, 0]), Stated::Turn(UPRIGHT));
        for (kind, count) in [(99, 1), (3, 0)] {
            assert_eq!(six(kind, count, &[0, 6], &[]), Stated::Missing);
        }
        assert_eq!(six(4, 2, &elsewhere, &[0, 0, 0, 6]), Stated::Missing, "its values are not all there");
        assert_eq!(orientation(PREFIX), Stated::Missing);
        assert_eq!(orientation(b"Exif\0\0PNG?...."), Stated::Broken);
    }

    proptest! {
        #[test]
        fn broken_exif_is_nothing_or_something_valid(cut in 0_usize..60, at in 0_usize..40, byte: u8) {
            let mut bytes = block(b"II*\0", 3, 1, &[6, 0], &[]);
            bytes[at.min(39)] = byte;
            bytes.truncate(cut);
            if let Stated::Turn(turn) = orientation(&bytes) {
                prop_assert!((1..=8).contains(&turn));
            }
        }
    }
}
