//! A seeded permutation of `0..n` that is computed, not stored.
//!
//! A Feistel network over the next even power of two, walked until it lands below `n` (cycle-walking: Black and
//! Rogaway, "Ciphers with Arbitrary Finite Domains", 2002): any position of any length costs about 50 ns and no memory,
//! forwards and backwards. A shuffled list would cost 8 bytes a sample, on every rank, and its whole length to know one
//! position.
//!
//! Invariant: for every seed and length a bijection; the same on every machine and for ever. It is for shuffling, not
//! for secrets.

use crate::address::Address;

/// A bijection of `0..len` onto itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permutation {
    len: u64,
    /// Bits of half a block; the network permutes `0..4^half_bits`.
    half_bits: u32,
    keys: [u64; ROUNDS],
}

/// Four rounds are indistinguishable from random over a large domain (Luby and Rackoff 1988); small ones need more.
pub const ROUNDS: usize = 8;

/// The context of the keys of an epoch's order: part of their address, and never changed.
const VISITS: &str = "headwater 2026-11 learn visits v1";

// === impl Permutation ===

impl Permutation {
    /// The order in which an epoch visits a dataset of `len` samples.
    ///
    /// The keys are BLAKE3's extendable output over seed and epoch, as in [`crate::randomness`].
    pub fn of_epoch(len: u64, Address { seed, epoch }: Address) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(VISITS);
        hasher.update(&seed.0.to_le_bytes());
        hasher.update(&epoch.0.to_le_bytes());
        let mut output = hasher.finalize_xof();
        let key = |_| {
            let mut bytes = [0; 8];
            output.fill(&mut bytes);
            u64::from_le_bytes(bytes)
        };
        Self::new(len, std::array::from_fn(key))
    }

    /// The permutation of these keys, which are random numbers.
    pub fn new(len: u64, keys: [u64; ROUNDS]) -> Self {
        let bits = u64::BITS - len.saturating_sub(1).leading_zeros();
        Self { len, half_bits: bits.div_ceil(2).max(1), keys }
    }

    /// Number of elements.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is nothing to permute.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The element at this position; `None` past the end.
    pub fn at(&self, position: u64) -> Option<u64> {
        self.walk(position, |permutation, block| {
            permutation.keys.iter().fold(block, |(left, right), &key| (right, left ^ permutation.round(right, key)))
        })
    }

    /// The position of this element: the inverse of [`Permutation::at`].
    pub fn position_of(&self, element: u64) -> Option<u64> {
        self.walk(element, |permutation, block| {
            let undo = |(left, right), &key| (right ^ permutation.round(left, key), left);
            permutation.keys.iter().rev().fold(block, undo)
        })
    }

    /// All elements in order of position.
    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        (0..self.len).filter_map(|position| self.at(position))
    }

    /// Ends: the network's cycle through `start` comes back to `start`, which is below `len`.
    fn walk(&self, start: u64, network: impl Fn(&Self, (u64, u64)) -> (u64, u64)) -> Option<u64> {
        if start >= self.len {
            return None;
        }
        let mut value = start;
        loop {
            let (left, right) = network(self, (value >> self.half_bits, value & self.half_mask()));
            value = left << self.half_bits | right;
            if value < self.len {
                return Some(value);
            }
        }
    }

    fn half_mask(&self) -> u64 {
        (1 << self.half_bits) - 1
    }

    /// The finaliser of SplitMix64 (Steele, Lea and Flood 2014), cut to half a block.
    fn round(&self, half: u64, key: u64) -> u64 {
        let mut x = half ^ key;
        x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ x >> 31) & self.half_mask()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_bijection(len in 0_u64..3_000, seed: u64, epoch: u64) {
            let permutation = Permutation::of_epoch(len, Address::new(seed, epoch));
            let mut elements: Vec<u64> = permutation.iter().collect();
            elements.sort_unstable();
            prop_assert_eq!(elements, (0..len).collect::<Vec<_>>());
            prop_assert_eq!(permutation.at(len), None);
        }

        #[test]
        fn the_inverse_undoes_it_at_every_length(len in 1_u64.., position: u64, seed: u64) {
            let permutation = Permutation::of_epoch(len, Address::new(seed, 0));
            let element = permutation.at(position % len).unwrap();
            prop_assert!(element < len);
            prop_assert_eq!(permutation.position_of(element), Some(position % len));
        }
    }

    #[test]
    fn every_element_comes_to_every_position_equally_often() {
        for len in [2_usize, 3, 5, 8, 14] {
            let mut counts = vec![0_u32; len * len];
            for seed in 0..20_000 {
                let permutation = Permutation::of_epoch(len as u64, Address::new(seed, 0));
                permutation.iter().enumerate().for_each(|(at, element)| counts[at * len + element as usize] += 1);
            }
            let expected = 20_000.0 / len as f64;
            let worst = counts.iter().map(|&count| (f64::from(count) - expected).abs()).fold(0.0, f64::max);
            assert!(worst < 5.0 * expected.sqrt(), "{len}: {worst} of {expected}");
        }
    }

    #[test]
    fn epochs_and_seeds_differ_and_stay_as_they_are() {
        let order = |seed, epoch| Permutation::of_epoch(10, Address::new(seed, epoch)).iter().collect::<Vec<_>>();
        assert_ne!(order(1, 0), order(1, 1));
        assert_ne!(order(1, 0), order(2, 0));
        // Changing this changes which samples every resumed epoch has still to visit: don't.
        assert_eq!(order(1, 0), EXPECTED);
    }

    /// As a Python program of the same description has it.
    const EXPECTED: [u64; 10] = [0, 9, 6, 2, 5, 4, 3, 1, 7, 8];
}
