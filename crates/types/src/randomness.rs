//! Randomness that is addressed, not drawn: the same (seed, epoch, key, stage) gives the same numbers on every machine,
//! in every order, after every retry.
//!
//! The generator is BLAKE3's extendable output, a counter-mode generator (BLAKE3 paper, section 2.6), over
//!
//! ```text
//! +------------------------+-----------+------------+-------------+-----------+
//! | context (derive-key)   | seed  u64 | epoch  u64 | stage   u32 | key bytes |
//! +------------------------+-----------+------------+-------------+-----------+   integers little endian
//! ```
//!
//! Each stage has a stream of its own, so that a stage that draws more or fewer numbers moves no other. Philox or
//! ChaCha would do as well; BLAKE3 is here already and takes a key of any length.

use crate::address::Draws;

/// Which stage draws: its number is part of the address and never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum RandomStage {
    /// The crop box.
    Crop = 1,
    /// The horizontal flip.
    Flip = 2,
}

/// Random numbers of one stage of one sample.
#[derive(Clone)]
pub struct Stream(blake3::OutputReader);

const CONTEXT: &str = "headwater 2026-11 sample randomness v1";

// === impl Stream ===

impl Stream {
    /// The stream of one stage at this address.
    pub fn new(draws: &Draws<'_>, stage: RandomStage) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
        hasher.update(&draws.address.seed.0.to_le_bytes());
        hasher.update(&draws.address.epoch.0.to_le_bytes());
        hasher.update(&(stage as u32).to_le_bytes());
        hasher.update(draws.key.as_str().as_bytes());
        Self(hasher.finalize_xof())
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// Uniform in `[0, 1)`, with 53 random bits.
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// Uniform in `[low, high)`.
    pub fn range(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Uniform in `0..bound` (0 where `bound` is 0), by multiply-and-shift (Lemire 2019, without the rejection: its
    /// bias is under 2^-32 for 32-bit bounds).
    pub fn below(&mut self, bound: u32) -> u32 {
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;

    fn stream(seed: u64, epoch: u64, key: &str, stage: RandomStage) -> Stream {
        Stream::new(&Draws { address: Address::new(seed, epoch), key: &key.parse().unwrap() }, stage)
    }

    #[test]
    fn an_address_gives_the_same_numbers_for_ever() {
        let mut known = stream(1, 2, "red/a.jpg", RandomStage::Crop);
        assert_eq!([known.next_u64(), known.next_u64()], EXPECTED);
    }

    /// Changing these changes every tensor that anyone has trained on: don't.
    const EXPECTED: [u64; 2] = [1_610_818_963_278_315_520, 631_928_836_545_030_501];

    #[test]
    fn every_part_of_the_address_matters() {
        let base = stream(1, 2, "a", RandomStage::Crop).next_u64();
        for mut other in [
            stream(2, 2, "a", RandomStage::Crop),
            stream(1, 3, "a", RandomStage::Crop),
            stream(1, 2, "b", RandomStage::Crop),
            stream(1, 2, "a", RandomStage::Flip),
        ] {
            assert_ne!(other.next_u64(), base);
        }
    }

    #[test]
    fn numbers_are_uniform_enough() {
        let mut stream = stream(7, 0, "k", RandomStage::Crop);
        let mean = (0..10_000).map(|_| stream.unit()).sum::<f64>() / 1e4;
        assert!((mean - 0.5).abs() < 0.02, "{mean}");
        let mut seen = [0_u32; 5];
        (0..10_000).for_each(|_| seen[stream.below(5) as usize] += 1);
        assert!(seen.iter().all(|&count| (1_800..2_200).contains(&count)), "{seen:?}");
        assert_eq!(stream.below(0), 0);
        assert_eq!(stream.below(1), 0);
    }
}
