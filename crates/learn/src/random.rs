//! Seeded random numbers, one stream for each purpose, so that one more draw for one purpose moves no other.
//!
//! BLAKE3's extendable output, as in `headwater_types::randomness`, addressed by (purpose, seed, number).

use headwater_types::permutation::ROUNDS;
use headwater_types::{Permutation, Seed};

/// What numbers are drawn for. The context strings are part of the address and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Weights before training.
    Weights,
    /// Order of the samples in an epoch of training.
    Batches,
    /// Order of the samples in a pass of a worker's local steps.
    LocalBatches,
    /// Which features a full replay memory keeps.
    Replay,
    /// Which run of fine-tuning a sample belongs to.
    Runs,
    /// Which samples are kept from training.
    Validation,
}

/// Random numbers for one purpose.
pub(crate) struct Generator(blake3::OutputReader);

// === impl Purpose ===

impl Purpose {
    fn context(self) -> &'static str {
        match self {
            Self::Weights => "headwater 2026-11 learn weights v1",
            Self::Batches => "headwater 2026-11 learn batches v1",
            Self::LocalBatches => "headwater 2026-11 learn local batches v1",
            Self::Replay => "headwater 2026-11 learn replay v1",
            Self::Runs => "headwater 2026-11 learn runs v1",
            Self::Validation => "headwater 2026-11 learn validation v1",
        }
    }

    /// A hasher that has taken purpose and seed.
    pub(crate) fn hasher(self, seed: Seed) -> blake3::Hasher {
        let mut hasher = blake3::Hasher::new_derive_key(self.context());
        hasher.update(&seed.0.to_le_bytes());
        hasher
    }
}

// === impl Generator ===

impl Generator {
    /// The stream at this address.
    pub(crate) fn new(purpose: Purpose, seed: Seed, number: u64) -> Self {
        Self(purpose.hasher(seed).update(&number.to_le_bytes()).finalize_xof())
    }

    /// The permutation of `0..len` at the stream's beginning.
    pub(crate) fn permutation(purpose: Purpose, seed: Seed, number: u64, len: u64) -> Permutation {
        let mut generator = Self::new(purpose, seed, number);
        let keys: [u64; ROUNDS] = std::array::from_fn(|_| generator.next_u64());
        Permutation::new(len, keys)
    }

    pub(crate) fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// Uniform in `[0, 1)`, with 53 random bits.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform in `0..bound` (0 where `bound` is 0), by multiply-and-shift.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next_u64()) * bound as u128) >> 64) as usize
    }

    /// Standard normal (Box and Muller 1958; its second number is left unused).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_the_address_matters() {
        let first = |purpose, seed, number| Generator::new(purpose, Seed(seed), number).next_u64();
        let base = first(Purpose::Weights, 1, 2);
        assert_eq!(base, first(Purpose::Weights, 1, 2));
        assert_ne!(base, first(Purpose::Batches, 1, 2));
        assert_ne!(base, first(Purpose::Weights, 2, 2));
        assert_ne!(base, first(Purpose::Weights, 1, 3));
    }

    #[test]
    fn normals_are_normal() {
        let mut generator = Generator::new(Purpose::Weights, Seed(1), 0);
        let draws: Vec<f64> = (0..20_000).map(|_| generator.normal()).collect();
        let mean = draws.iter().sum::<f64>() / 2e4;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 2e4;
        let beyond_two = draws.iter().filter(|x| x.abs() > 2.0).count() as f64 / 2e4;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
        assert!((beyond_two - 0.0455).abs() < 0.01, "{beyond_two}");
    }
}
