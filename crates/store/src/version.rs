//! Which content of an object: told apart without reading it.

use headwater_types::ByteCount;

/// What to do where versions differ.
pub(crate) const LIST_ANEW: &str = "restart the server, which lists its files anew";

/// An object's size, and a stamp that changes when its content does: a file's modification time, or a hash of an S3
/// object's ETag. Two contents under one key have different versions as far as the store itself can tell them apart.
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
        let hash = blake3::hash(tag.as_bytes());
        Self { size, stamp: hash.as_bytes().first_chunk().map_or(0, |first| u64::from_le_bytes(*first)) }
    }

    /// The object's size.
    pub const fn size(self) -> ByteCount {
        ByteCount::new(self.size)
    }

    /// Size and stamp, little endian: for digests and cache keys.
    pub fn to_bytes(self) -> [u8; 16] {
        (u128::from(self.stamp) << 64 | u128::from(self.size)).to_le_bytes()
    }
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
    fn its_bytes_tell_versions_apart() {
        assert_eq!(Version::of_file(1, 0, 2).to_bytes(), [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]);
    }
}
