//! Which content an object or a part of one has, as far as that shows without reading it.

use headwater_types::ByteCount;

use crate::part::Part;

/// What an error advises where an object is of another version than was listed.
pub(crate) const LIST_ANEW: &str = "restart the server, which lists its files anew";

/// A size, and a stamp that changes when the content does: a file's modification time, a hash of an S3 object's ETag,
/// or, for a part of an object, a hash of the object's version and of where the part begins. Two contents under one key
/// have different versions as far as the store itself can tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    size: u64,
    stamp: u64,
}

// === impl Version ===

impl Version {
    /// A file's version: its size in bytes, and its modification time in seconds and nanoseconds since 1970.
    pub fn of_file(size: u64, seconds: i64, nanoseconds: i64) -> Self {
        // A clock outside the years 1677 to 2262 wraps: the stamp is compared, never read as a time.
        let stamp = seconds.wrapping_mul(1_000_000_000).wrapping_add(nanoseconds);
        Self { size, stamp: stamp.cast_unsigned() }
    }

    /// An object's version: its size in bytes, and its ETag, or what stands for one.
    pub fn of_object(size: u64, tag: &str) -> Self {
        Self { size, stamp: hashed(tag.as_bytes()) }
    }

    /// The version of a part of an object that has this version as a whole. It is worked out from these two whenever it
    /// is asked for, so that a catalog need not hold it.
    pub fn of_part(object: Self, part: Part) -> Self {
        // What is hashed of a row is longer, so that no range of bytes has the stamp of a row.
        let mut place = [0; 25];
        place[..16].copy_from_slice(&object.to_bytes());
        let (begin, len) = match part {
            Part::Bytes { offset, .. } => (offset, 24),
            Part::Row { number, .. } => (number, 25),
        };
        place[16..24].copy_from_slice(&begin.to_le_bytes());
        Self { size: part.length().get(), stamp: hashed(&place[..len]) }
    }

    /// The version that has these bytes ([`Self::to_bytes`]).
    pub(crate) fn from_bytes(bytes: [u8; 16]) -> Self {
        let both = u128::from_le_bytes(bytes);
        // The lower half is the size, and the upper half the stamp.
        Self { size: both as u64, stamp: (both >> 64) as u64 }
    }

    /// The size of the object, or of the part of it.
    pub const fn size(self) -> ByteCount {
        ByteCount::new(self.size)
    }

    /// The size and the stamp, little endian, for digests and cache keys.
    pub fn to_bytes(self) -> [u8; 16] {
        (u128::from(self.stamp) << 64 | u128::from(self.size)).to_le_bytes()
    }
}

/// The first 8 bytes of the BLAKE3 hash.
fn hashed(bytes: &[u8]) -> u64 {
    blake3::hash(bytes).as_bytes().first_chunk().map_or(0, |first| u64::from_le_bytes(*first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_size_time_or_tag_is_another_version() {
        let file = Version::of_file(10, 1_700_000_000, 5);
        assert_eq!(file, Version::of_file(10, 1_700_000_000, 5));
        for other in [(11, 1_700_000_000, 5), (10, 1_700_000_001, 5), (10, 1_700_000_000, 6), (10, -1, 5)] {
            assert_ne!(file, Version::of_file(other.0, other.1, other.2));
        }
        assert_ne!(Version::of_object(10, "a"), Version::of_object(10, "b"));
        assert_ne!(Version::of_object(10, "a"), Version::of_object(11, "a"));
    }

    #[test]
    fn a_part_is_another_version_once_its_object_its_place_or_its_length_is() {
        let object = Version::of_file(100, 1, 0);
        let bytes = |offset, length| Part::Bytes { offset, length };
        let part = Version::of_part(object, bytes(10, 10));
        assert_eq!(part, Version::of_part(object, bytes(10, 10)));
        assert_eq!(part.size(), ByteCount::new(10));
        for other in [
            Version::of_part(object, bytes(11, 10)),
            Version::of_part(object, bytes(10, 11)),
            Version::of_part(object, Part::Row { number: 10, about: 10 }),
            Version::of_part(Version::of_file(100, 2, 0), bytes(10, 10)),
            Version::of_part(Version::of_file(101, 1, 0), bytes(10, 10)),
        ] {
            assert_ne!(part, other);
        }
    }

    #[test]
    fn its_bytes_tell_versions_apart() {
        let version = Version::of_file(1, 0, 2);
        assert_eq!(version.to_bytes(), [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(Version::from_bytes(version.to_bytes()), version);
    }
}
