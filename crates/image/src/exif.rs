//! The one thing that is read from EXIF: which way is up.
//!
//! EXIF is a TIFF file: byte order, an offset, and there a directory of 12-byte entries.
//!
//! ```text
//! | "II*\0" or "MM\0*" | offset u32 | ... | entries u16 | tag u16 | type u16 | count u32 | value u32 | ...
//! ```
//!
//! Never follows a pointer but the first, and never fails: a photo whose EXIF is broken is upright.

/// As stored.
pub(crate) const UPRIGHT: u8 = 1;

const TAG_ORIENTATION: u16 = 0x0112;
const TYPE_SHORT: u16 = 3;
const ENTRY: usize = 12;

/// Orientation 1 to 8 of an EXIF block, with or without its `Exif\0\0`; [`UPRIGHT`] where it says nothing valid.
pub(crate) fn orientation(block: &[u8]) -> u8 {
    let tiff = block.strip_prefix(b"Exif\0\0").unwrap_or(block);
    find(tiff).filter(|value| (1..=8).contains(value)).map_or(UPRIGHT, |value| value as u8)
}

/// The smallest EXIF block that says so.
pub(crate) fn block(orientation: u8) -> [u8; 32] {
    let mut block = *b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0";
    block[25] = orientation;
    block
}

fn find(tiff: &[u8]) -> Option<u16> {
    let big_endian = match tiff.get(..4)? {
        b"II*\0" => false,
        b"MM\0*" => true,
        _ => return None,
    };
    let short = |bytes: &[u8]| -> Option<u16> {
        let pair: [u8; 2] = bytes.get(..2)?.try_into().ok()?;
        Some(if big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) })
    };
    let offset: [u8; 4] = tiff.get(4..8)?.try_into().ok()?;
    let offset = if big_endian { u32::from_be_bytes(offset) } else { u32::from_le_bytes(offset) };
    let directory = tiff.get(usize::try_from(offset).ok()?..)?;
    let count = usize::from(short(directory)?);
    let entry = directory
        .get(2..)?
        .chunks_exact(ENTRY)
        .take(count)
        .find(|entry| short(entry) == Some(TAG_ORIENTATION) && short(&entry[2..]) == Some(TYPE_SHORT))?;
    short(&entry[8..])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for value in 1..=8 {
            assert_eq!(orientation(&super::block(value)), value);
        }
    }

    fn block(order: &[u8; 4], value: u16) -> Vec<u8> {
        let big = order[0] == b'M';
        let short = |v: u16| if big { v.to_be_bytes() } else { v.to_le_bytes() };
        let long = |v: u32| if big { v.to_be_bytes() } else { v.to_le_bytes() };
        let mut block = b"Exif\0\0".to_vec();
        block.extend(order);
        block.extend(long(8));
        block.extend(short(2));
        for (tag, value) in [(0x010f, 9), (TAG_ORIENTATION, value)] {
            block.extend(short(tag));
            block.extend(short(TYPE_SHORT));
            block.extend(long(1));
            block.extend(short(value));
            block.extend([0, 0]);
        }
        block
    }

    #[test]
    fn both_byte_orders_are_read_and_nonsense_is_upright() {
        for order in [b"II*\0", b"MM\0*"] {
            for value in 1..=8 {
                assert_eq!(orientation(&block(order, value)), value as u8);
                assert_eq!(orientation(&block(order, value)[6..]), value as u8);
            }
            for value in [0, 9, 300] {
                assert_eq!(orientation(&block(order, value)), UPRIGHT);
            }
        }
    }

    proptest! {
        #[test]
        fn broken_exif_is_upright_or_something_valid(cut in 0_usize..60, at in 0_usize..40, byte: u8) {
            let mut bytes = block(b"II*\0", 6);
            bytes[at.min(39)] = byte;
            bytes.truncate(cut);
            prop_assert!((1..=8).contains(&orientation(&bytes)));
        }
    }
}
