//! Random numbers that are the same on every machine: SplitMix64 (Steele et al., OOPSLA'14).

pub(crate) struct Random(pub(crate) u64);

// === impl Random ===

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// From 0 to below 1.
    pub(crate) fn part(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// About a normal distribution: 12 uniform numbers less their mean.
    pub(crate) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.part()).sum::<f64>() - 6.0
    }

    /// Every number below this one, in a random order (Fisher and Yates).
    pub(crate) fn order(&mut self, samples: usize) -> Vec<u32> {
        let mut order: Vec<_> = (0..samples as u32).collect();
        for place in (1..samples).rev() {
            order.swap(place, self.below(place as u64 + 1) as usize);
        }
        order
    }
}
