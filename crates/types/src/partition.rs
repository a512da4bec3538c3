//! Which part of a dataset a server serves, where several servers see all of it.
//!
//! By hash and not by range: it needs no listing to agree on, a new photo moves no other, and every class is spread
//! evenly.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

/// Part K of N, written `K/N`: the keys whose BLAKE3 hash, its first 8 bytes as a little-endian number, is K-1 modulo
/// N.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition {
    /// From 0.
    position: u32,
    count: NonZeroU32,
}

/// Text that is not `K/N`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("--partition {text:?}: write K/N with K from 1 to N, such as 1/2 on the first of two servers")]
pub struct PartitionError {
    text: String,
}

// === impl Partition ===

impl Partition {
    /// Everything.
    pub const ALL: Self = Self { position: 0, count: NonZeroU32::MIN };

    /// Part `number` (from 1) of `count`; `None` where there is no such part.
    pub fn new(number: u32, count: u32) -> Option<Self> {
        let position = number.checked_sub(1)?;
        NonZeroU32::new(count).filter(|count| position < count.get()).map(|count| Self { position, count })
    }

    /// K: from 1.
    pub const fn number(self) -> u32 {
        self.position + 1
    }

    /// N.
    pub const fn count(self) -> u32 {
        self.count.get()
    }

    /// Part 1, part 2 ... of as many parts as this is one of.
    pub fn all(self) -> impl Iterator<Item = Self> {
        (0..self.count.get()).map(move |position| Self { position, ..self })
    }

    /// The number by which the sample of this key is in one part or another: the first 8 bytes of the key's BLAKE3
    /// hash, little-endian.
    pub fn address(key: &str) -> u64 {
        blake3::hash(key.as_bytes()).as_bytes().first_chunk().map_or(0, |first| u64::from_le_bytes(*first))
    }

    /// Whether the samples of this address are in the part.
    pub fn contains_address(&self, address: u64) -> bool {
        address % u64::from(self.count.get()) == u64::from(self.position)
    }

    /// Whether the sample of this key is in the part.
    pub fn contains(&self, key: &str) -> bool {
        self.count == NonZeroU32::MIN || self.contains_address(Self::address(key))
    }
}

impl Default for Partition {
    fn default() -> Self {
        Self::ALL
    }
}

impl FromStr for Partition {
    type Err = PartitionError;

    fn from_str(text: &str) -> Result<Self, PartitionError> {
        let part = || {
            let (number, count) = text.split_once('/')?;
            Self::new(number.trim().parse().ok()?, count.trim().parse().ok()?)
        };
        part().ok_or_else(|| PartitionError { text: text.to_owned() })
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.position + 1, self.count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_key_is_in_exactly_one_part(key in "\\PC{0,40}", count in 1_u32..50) {
            let parts = (1..=count).filter(|&number| Partition::new(number, count).unwrap().contains(&key));
            prop_assert_eq!(parts.count(), 1);
        }

        #[test]
        fn a_part_survives_its_text(count in 1_u32.., number in 1_u32..) {
            let number = number % count + 1;
            prop_assume!(number <= count);
            let part = Partition::new(number, count).unwrap();
            prop_assert_eq!(part.to_string().parse::<Partition>().unwrap(), part);
            prop_assert_eq!(Partition::new(part.number(), part.count()), Some(part));
        }
    }

    #[test]
    fn parts_are_of_even_size() {
        let half: Partition = "2/2".parse().unwrap();
        let held = (0..10_000).filter(|n| half.contains(&format!("cat/{n}.jpg"))).count();
        // Five standard deviations of a fair coin.
        assert!((4750..=5250).contains(&held), "{held}");
    }

    #[test]
    fn the_rule_never_changes() {
        // From the BLAKE3 of PyPI's `blake3`, by the rule as documented.
        let thirds = |key| (1..=3).find(|&n| Partition::new(n, 3).unwrap().contains(key)).unwrap();
        assert_eq!(["cat/1.jpg", "cat/2.jpg", "dog/1.jpg", "ünï.png"].map(thirds), [1, 1, 2, 3]);
    }

    #[test]
    fn a_part_that_is_not_there_is_refused() {
        for bad in ["", "1", "0/2", "3/2", "1/0", "-1/2", "1/2/3", "a/b", "1/4294967296"] {
            assert!(bad.parse::<Partition>().is_err(), "{bad:?}");
        }
        assert_eq!(Partition::default().to_string(), "1/1");
    }
}
