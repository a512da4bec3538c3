//! The frame around every value of the index's file: what it is, and whether it is what was written there.
//!
//! ```text
//!  0       4           12
//! ┌───────┬───────────┬─────────┐
//! │ magic │ checksum  │ payload │
//! │ 4     │ u64       │         │
//! └───────┴───────────┴─────────┘
//!
//! magic     three letters of the kind, and the version of its layout
//! checksum  XXH3-64 of the payload, little endian, seeded with the value's key: none stands in for another
//! ```

use twox_hash::XxHash3_64;

/// Bytes before the payload.
pub(crate) const HEAD: usize = 12;
const MAGIC: usize = 4;

/// What a value is.
pub(crate) type Magic = [u8; MAGIC];

/// The value of this payload.
pub(crate) fn seal(magic: Magic, key: u64, payload: &[u8]) -> Vec<u8> {
    let checksum = XxHash3_64::oneshot_with_seed(key, payload).to_le_bytes();
    [&magic[..], &checksum, payload].concat()
}

/// The payload of a value, if it is whole.
pub(crate) fn open(magic: Magic, key: u64, value: &[u8]) -> Option<&[u8]> {
    let (head, payload) = value.split_at_checked(HEAD)?;
    let checksum = XxHash3_64::oneshot_with_seed(key, payload).to_le_bytes();
    (head[..MAGIC] == magic && head[MAGIC..] == checksum).then_some(payload)
}

/// The key of what belongs to one block of one run.
pub(crate) fn block_key(run: u32, block: u32) -> u64 {
    u64::from(run) << 32 | u64::from(block)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_opened_whole_as_what_it_is_and_where_it_is_or_not_at_all() {
        let value = seal(*b"ABC\x01", 7, b"labels");
        assert_eq!(open(*b"ABC\x01", 7, &value), Some(&b"labels"[..]));
        assert_eq!(open(*b"ABC\x02", 7, &value), None);
        assert_eq!(open(*b"ABC\x01", 8, &value), None);
        for bit in 0..value.len() * 8 {
            let mut flipped = value.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(*b"ABC\x01", 7, &flipped), None, "bit {bit}");
        }
        for end in 0..value.len() {
            assert_eq!(open(*b"ABC\x01", 7, &value[..end]), None);
        }
    }
}
