//! How far workers' weights may drift apart within a round.

use std::num::NonZeroU32;

/// A limit to how far local steps may take a worker's weights from those that the round began with.
///
/// The drift of a round is |w of the worker - w of the round's begin| / |w of the round's begin|, the largest of all
/// workers. It grows at most in proportion to the steps where the steps' sizes are alike. So after a round of H steps
/// of the slowest, with drift d, H limit / d steps keep to the limit. That is what the next round may have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DriftLimit {
    limit: f64,
    most: Option<NonZeroU32>,
}

// === impl DriftLimit ===

impl DriftLimit {
    /// A relative drift such as 0.1; `None` unless it is above 0 and finite.
    pub fn new(limit: f64) -> Option<Self> {
        (limit > 0.0 && limit.is_finite()).then_some(Self { limit, most: None })
    }

    /// Takes in the largest drift of a round of so many steps of the slowest. What is no number allows one step:
    /// weights that are none have drifted without end.
    pub fn observe(&mut self, local_steps_of_slowest: u32, drift: f64) {
        let most = f64::from(local_steps_of_slowest) * self.limit / drift.max(0.0);
        // Of no drift at all infinitely many; conversion saturates, and makes 0 of what is no number.
        let most = if drift.is_nan() { 1 } else { most as u32 };
        self.most = NonZeroU32::new(most.max(1));
    }

    /// The most steps of the slowest worker in the next round: [`Headwater::most_of_slowest`]. `None` before a drift
    /// was measured.
    ///
    /// [`Headwater::most_of_slowest`]: super::Headwater::most_of_slowest
    pub fn most_of_slowest(&self) -> Option<NonZeroU32> {
        self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_round_keeps_to_the_limit_if_drift_grows_with_steps() {
        let mut limit = DriftLimit::new(0.1).unwrap();
        assert_eq!(limit.most_of_slowest(), None);
        let mut after = |steps, drift| {
            limit.observe(steps, drift);
            limit.most_of_slowest().unwrap().get()
        };
        assert_eq!([after(8, 0.2), after(8, 0.05), after(8, 100.0), after(8, f64::NAN)], [4, 16, 1, 1]);
        assert_eq!([after(8, 0.0), after(8, f64::INFINITY)], [u32::MAX, 1]);
        assert_eq!([0.0, -1.0, f64::NAN, f64::INFINITY].map(DriftLimit::new), [None; 4]);
    }
}
