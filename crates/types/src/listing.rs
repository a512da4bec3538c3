//! A whole listing in few bytes: whether servers have found the same samples, and if not, how much of them is the same.
//!
//! A sample is its key and its size here. Not its version: a copy on another node has other modification times, and an
//! object's ETag is no file's; parts of copies make one dataset as well as parts of one folder. A photo that was
//! replaced by another of the same size on one node only goes unseen; it is still delivered once, by the server whose
//! part it is in.
//!
//! Entries are hashed one by one, and the hashes added modulo 2^256. That needs no order and no memory, so that a
//! server which keeps a half of the keys knows the whole, and eight listing threads each make a part of the sum. A sum
//! of hashes can be forged by who chooses millions of entries for it (Wagner's generalised birthday), which a hash over
//! sorted entries cannot; but who may write the photos needs no forged digest, and without intent two listings have the
//! same sum by a chance of 2^-256. Added, and not combined by exclusive or: an entry that is there twice does not
//! vanish.

use std::collections::BTreeSet;

use crate::caps::LISTING_SKETCH;
use crate::digest::{Digest, Digester};
use crate::units::ByteCount;

/// What was found in a dataset's place, all partitions together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The number of samples.
    pub samples: u64,
    /// The digest of every sample's key and size, and of the class names.
    pub digest: Digest,
    /// Some of the samples, to compare two listings by.
    pub sketch: Sketch,
}

/// The samples with the lowest hashes, by those: a bottom-k sketch (Cohen, Kaplan 2007). Two listings that have a
/// sample in common at all have it low or high in both, so that the lowest show what all would.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sketch(BTreeSet<u64>);

/// Gathers a listing, in any order.
#[derive(Clone, Debug, Default)]
pub struct ListingDigester {
    samples: u64,
    /// The sum modulo 2^256, its least significant part first.
    sum: [u64; 4],
    sketch: Sketch,
}

// === impl Listing ===

impl Listing {
    /// What share of the smaller of two listings is in the other too, 0 to 1: an estimate, exact for the same listing
    /// and for listings without a common sample.
    pub fn shared(&self, other: &Self) -> f64 {
        if self.digest == other.digest {
            return 1.0;
        }
        let (own, others) = (&self.sketch.0, &other.sketch.0);
        let lowest: Vec<_> = own.union(others).take(LISTING_SKETCH).collect();
        let common = lowest.iter().filter(|hash| own.contains(hash) && others.contains(hash)).count();
        if common == 0 {
            return 0.0;
        }
        // Jaccard's index, and from it the number of common samples.
        let index = common as f64 / lowest.len() as f64;
        let both = (self.samples + other.samples) as f64 * index / (1.0 + index);
        (both / self.samples.min(other.samples).max(1) as f64).min(1.0)
    }
}

// === impl Sketch ===

impl Sketch {
    /// A sketch as another machine sent it; `None` if it is none: too many hashes, or not in ascending order.
    pub fn from_hashes(hashes: &[u64]) -> Option<Self> {
        let good = hashes.len() <= LISTING_SKETCH && hashes.is_sorted_by(|a, b| a < b);
        good.then(|| Self(hashes.iter().copied().collect()))
    }

    /// The hashes, in ascending order.
    pub fn hashes(&self) -> impl Iterator<Item = u64> {
        self.0.iter().copied()
    }

    fn push(&mut self, hash: u64) {
        if self.0.len() < LISTING_SKETCH || self.0.last().is_some_and(|&highest| hash < highest) {
            self.0.insert(hash);
        }
        if self.0.len() > LISTING_SKETCH {
            self.0.pop_last();
        }
    }
}

// === impl ListingDigester ===

impl ListingDigester {
    /// A sample.
    pub fn push(&mut self, key: &str, size: ByteCount) {
        let digest = Digester::default().update(&size.get().to_le_bytes()).field(key.as_bytes()).finish();
        let (parts, _) = digest.as_bytes().as_chunks::<8>();
        let hash: [u64; 4] = std::array::from_fn(|place| u64::from_le_bytes(parts[place]));
        self.samples += 1;
        self.add(hash);
        self.sketch.push(hash[0]);
    }

    /// What was gathered elsewhere.
    pub fn absorb(&mut self, other: &Self) {
        self.samples += other.samples;
        self.add(other.sum);
        other.sketch.hashes().for_each(|hash| self.sketch.push(hash));
    }

    /// The listing, over
    ///
    /// ```text
    /// "headwater listing v1"
    /// number of classes u64 | each class name, preceded by its length u64
    /// number of samples u64 | sum of BLAKE3(size u64, length of key u64, key) as 256-bit numbers
    /// ```
    ///
    /// where numbers are little endian.
    pub fn finish(self, classes: &[String]) -> Listing {
        let mut digester = Digester::default();
        digester.update(b"headwater listing v1").update(&(classes.len() as u64).to_le_bytes());
        for class in classes {
            digester.field(class.as_bytes());
        }
        digester.update(&self.samples.to_le_bytes());
        for part in self.sum {
            digester.update(&part.to_le_bytes());
        }
        Listing { samples: self.samples, digest: digester.finish(), sketch: self.sketch }
    }

    fn add(&mut self, hash: [u64; 4]) {
        let mut carry = false;
        for (sum, part) in self.sum.iter_mut().zip(hash) {
            let (partial, first) = sum.overflowing_add(part);
            let (total, second) = partial.overflowing_add(u64::from(carry));
            *sum = total;
            carry = first || second;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples of these numbers.
    fn listing(numbers: impl IntoIterator<Item = u64>) -> Listing {
        let mut all = ListingDigester::default();
        numbers.into_iter().for_each(|n| all.push(&format!("cat/{n:06}.jpg"), ByteCount::new(1000 + n)));
        all.finish(&["cat".to_owned()])
    }

    #[test]
    fn a_listing_is_the_same_on_every_machine_and_in_every_release() {
        let mut two = ListingDigester::default();
        two.push("cat/1.jpg", ByteCount::new(10));
        two.push("flat.jpg", ByteCount::new(20));
        let two = two.finish(&["cat".to_owned()]);
        // From PyPI's `blake3` and Python's integers, by the rule as documented.
        assert_eq!(two.digest.to_string(), "e1fcb389684f49ba1d3b8be282e8b43b9ff6d7e3159fb95a9cdde5ec430cdeef");
        assert_eq!(two.sketch.hashes().collect::<Vec<_>>(), [9_294_731_013_267_386_064, 13_342_203_043_544_311_648]);
    }

    #[test]
    fn sums_carry_and_count_what_is_there_twice() {
        let mut digester = ListingDigester { sum: [u64::MAX, u64::MAX, 0, u64::MAX], ..ListingDigester::default() };
        digester.add([1, 0, 0, 0]);
        assert_eq!(digester.sum, [0, 0, 1, u64::MAX]);
        digester.add([0, 0, u64::MAX, 0]);
        assert_eq!(digester.sum, [0, 0, 0, 0]);
        assert_ne!(listing([1, 2, 2]).digest, listing([1]).digest);
        assert_ne!(listing([1, 2, 2]).digest, listing([1, 3, 3]).digest);
    }

    #[test]
    fn what_is_shared_is_about_seen_and_nothing_where_nothing_is() {
        let base = listing(0..5000);
        assert_eq!(base.shared(&listing(0..5000)), 1.0);
        assert_eq!(base.shared(&listing(5000..9000)), 0.0);
        for (other, share) in [(0..5001, 1.0), (0..2500, 1.0), (2500..7500, 0.5)] {
            let found = base.shared(&listing(other.clone()));
            assert!((found - share).abs() <= 0.2, "{other:?}: {found}");
        }
        let (few, some) = (listing(0..3), listing(2..6));
        assert!((few.shared(&some) - 1.0 / 3.0).abs() < 1e-9, "small listings are in their sketches whole");
    }

    #[test]
    fn a_sketch_of_a_stranger_is_checked() {
        let sketch = listing(0..1000).sketch;
        let hashes: Vec<_> = sketch.hashes().collect();
        assert_eq!((hashes.len(), Sketch::from_hashes(&hashes)), (LISTING_SKETCH, Some(sketch)));
        for bad in [&[2, 1][..], &[1, 1], &(0..65).collect::<Vec<_>>()] {
            assert_eq!(Sketch::from_hashes(bad), None);
        }
    }
}
