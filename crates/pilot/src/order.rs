//! The order in which an epoch takes its samples.

use headwater_types::{Address, SampleIndex};

/// A source of numbers with the same sequence on every machine: SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

// === impl Random ===

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, each about as likely (Lemire 2019); 0 where there is none.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        let product = u128::from(self.next()) * u128::from(end);
        u64::try_from(product >> 64).unwrap_or_default()
    }
}

/// All samples, each once, in an order that depends on the address only (Fisher and Yates).
pub fn shuffled(samples: u64, Address { seed, epoch }: Address) -> Vec<SampleIndex> {
    let mut order: Vec<_> = (0..samples).map(SampleIndex).collect();
    let mut random = Random::new(seed.0 ^ epoch.0.rotate_left(32) ^ 0x6f72_6465_7221);
    for last in (1..order.len()).rev() {
        let other = random.below(last as u64 + 1) as usize;
        order.swap(last, other);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_comes_once_in_another_order_every_epoch() {
        let (first, again) = (shuffled(1000, Address::new(1, 0)), shuffled(1000, Address::new(1, 0)));
        assert_eq!(first, again);
        assert_ne!(first, shuffled(1000, Address::new(1, 1)));
        assert_ne!(first, shuffled(1000, Address::new(2, 0)));
        let mut sorted = first;
        sorted.sort();
        assert!(sorted.into_iter().enumerate().all(|(place, index)| index.0 == place as u64));
        assert!(shuffled(0, Address::new(1, 0)).is_empty());
    }
}
