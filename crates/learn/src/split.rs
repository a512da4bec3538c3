//! Which samples are kept from training, to judge it by.

use headwater_types::{SampleKey, Seed};

use crate::random::Purpose;

/// Whether a sample is in the validation split: a hash of its key, as a number in `[0, 1)`, is below `fraction`.
///
/// A sample stays on its side whatever else the dataset holds, in whatever order, on however many servers, and a larger
/// fraction keeps all of a smaller one's. The split holds `fraction` of the samples on average, not exactly: a draw
/// without looking at the others cannot do better.
pub fn in_validation(key: &SampleKey, seed: Seed, fraction: f64) -> bool {
    let digest = Purpose::Validation.hasher(seed).update(key.as_str().as_bytes()).finalize();
    let leading = digest.as_bytes().iter().take(7).fold(0_u64, |number, &byte| number << 8 | u64::from(byte));
    ((leading >> 3) as f64) < fraction * (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(index: usize) -> SampleKey {
        format!("class{}/{index}.jpg", index % 7).parse().unwrap()
    }

    proptest! {
        #[test]
        fn a_larger_fraction_keeps_all_of_a_smaller_ones(index: usize, seed: u64, a in 0.0..1.0, b in 0.0..1.0) {
            let (small, large) = if a < b { (a, b) } else { (b, a) };
            let seed = Seed(seed);
            prop_assert!(!in_validation(&key(index), seed, small) || in_validation(&key(index), seed, large));
        }

        #[test]
        fn nothing_and_everything_can_be_kept(index: usize, seed: u64) {
            prop_assert!(!in_validation(&key(index), Seed(seed), 0.0));
            prop_assert!(in_validation(&key(index), Seed(seed), 1.0));
            prop_assert!(!in_validation(&key(index), Seed(seed), f64::NAN));
        }
    }

    #[test]
    fn the_split_has_about_the_fraction_asked_for() {
        for seed in 1..=5 {
            for fraction in [0.1, 0.2, 0.5] {
                let kept = (0..10_000).filter(|&index| in_validation(&key(index), Seed(seed), fraction)).count();
                // Five standard deviations of a binomial.
                let spread = 5.0 * (1e4 * fraction * (1.0 - fraction)).sqrt();
                assert!((kept as f64 - 1e4 * fraction).abs() < spread, "seed {seed}, fraction {fraction}: {kept}");
            }
        }
    }

    #[test]
    fn the_seed_draws_another_split_and_a_key_stays_where_it_was() {
        let split = |seed| (0..64).map(|i| u64::from(in_validation(&key(i), Seed(seed), 0.2)) << i).sum::<u64>();
        assert_ne!(split(1), split(2));
        // Changing this moves photos that were validated on into training: don't.
        assert_eq!(split(1), EXPECTED);
    }

    /// As a Python program of the same description has it.
    const EXPECTED: u64 = 9_813_496_420_161_906_176;
}
