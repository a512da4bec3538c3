//! Pauses between tries, longer and longer, and not in step with anybody else's.

use std::time::Duration;

/// Pauses between tries, longer and longer until [`reset`](Self::reset). Each is shortened at random by up to half, so
/// that many who were sent away at once do not come back at once.
#[derive(Debug)]
pub struct Backoff {
    initial: Duration,
    max: Duration,
    tries: u32,
    random: u64,
}

// === impl Backoff ===

impl Backoff {
    /// Pauses from `initial` to `max`; `seed` says how each is shortened.
    pub fn new(initial: Duration, max: Duration, seed: u64) -> Self {
        Self { initial, max, tries: 0, random: seed }
    }

    /// There was progress: the next pause is the first again.
    pub fn reset(&mut self) {
        self.tries = 0;
    }

    /// How long to wait now.
    pub fn pause(&mut self) -> Duration {
        let full = self.initial.saturating_mul(1_u32 << self.tries.min(20)).min(self.max);
        self.tries = self.tries.saturating_add(1);
        full.mul_f64(1.0 - 0.5 * self.unit())
    }

    /// Uniform in `[0, 1)`: SplitMix64 (Steele, Lea, Flood 2014).
    fn unit(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INITIAL: Duration = Duration::from_millis(100);
    const MAX: Duration = Duration::from_secs(5);

    #[test]
    fn pauses_double_up_to_the_longest_and_begin_anew_after_progress() {
        let mut backoff = Backoff::new(INITIAL, MAX, 1);
        for full in [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000] {
            let pause = backoff.pause().as_secs_f64() * 1e3;
            assert!(pause > f64::from(full) / 2.0 && pause <= f64::from(full), "{pause} of {full}");
        }
        (0..100).for_each(|_| assert!(backoff.pause() <= MAX));
        backoff.reset();
        assert!(backoff.pause() <= INITIAL);
    }

    #[test]
    fn those_of_different_seeds_do_not_come_back_in_step() {
        let pauses: Vec<_> = (0..16).map(|seed| Backoff::new(INITIAL, MAX, seed).pause()).collect();
        let distinct: std::collections::HashSet<_> = pauses.iter().collect();
        assert_eq!(distinct.len(), pauses.len());
    }
}
