//! Mean and variance of every number of a feature, kept as features arrive.

/// Count, mean and sum of squared deviations of each of `d` numbers, in f64.
///
/// Updated by Welford's rule (1962) and merged by Chan, Golub and LeVeque's (1979): no pass over old features, and no
/// cancellation where the mean is large against the spread.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    count: u64,
    mean: Vec<f64>,
    squares: Vec<f64>,
}

// === impl Moments ===

impl Moments {
    /// The moments of no features yet, of `dim` numbers each.
    pub fn new(dim: usize) -> Self {
        Self { count: 0, mean: vec![0.0; dim], squares: vec![0.0; dim] }
    }

    /// The number of features seen so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Length of a feature.
    pub fn dim(&self) -> usize {
        self.mean.len()
    }

    /// The means; zeros before the first feature.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The variances (of the population: divided by the count); zeros before the first feature.
    pub fn variance(&self) -> impl Iterator<Item = f64> + '_ {
        self.squares.iter().map(|squares| squares / self.count.max(1) as f64)
    }

    /// Moments that were written down: the count, and the mean and the sum of squared deviations of each number. `None`
    /// where these cannot be moments: other lengths, no finite number, a negative square.
    pub fn from_parts(count: u64, mean: Vec<f64>, squares: Vec<f64>) -> Option<Self> {
        let fits = mean.len() == squares.len() && mean.iter().chain(&squares).all(|value| value.is_finite());
        (fits && squares.iter().all(|value| *value >= 0.0)).then_some(Self { count, mean, squares })
    }

    /// The sums of squared deviations from the means.
    pub fn squares(&self) -> &[f64] {
        &self.squares
    }

    /// Adds a feature of `dim` numbers.
    pub fn add(&mut self, feature: &[f32]) {
        self.count += 1;
        let share = 1.0 / self.count as f64;
        for ((mean, squares), &value) in self.mean.iter_mut().zip(&mut self.squares).zip(feature) {
            let before = f64::from(value) - *mean;
            *mean += before * share;
            *squares += before * (f64::from(value) - *mean);
        }
    }

    /// Adds everything that `other`, of the same `dim`, has seen.
    pub fn merge(&mut self, other: &Self) {
        let count = self.count + other.count;
        if other.count == 0 {
            return;
        }
        let (ours, theirs) = (self.count as f64, other.count as f64);
        let both = self.mean.iter_mut().zip(&mut self.squares).zip(other.mean.iter().zip(&other.squares));
        for ((mean, squares), (other_mean, other_squares)) in both {
            let apart = other_mean - *mean;
            *mean += apart * theirs / (ours + theirs);
            *squares += other_squares + apart * apart * ours * theirs / (ours + theirs);
        }
        self.count = count;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(values: &[f32]) -> Moments {
        let mut moments = Moments::new(1);
        values.iter().for_each(|&value| moments.add(&[value]));
        moments
    }

    proptest! {
        #[test]
        fn merging_is_the_same_as_seeing_all(
            a in prop::collection::vec(-1e3_f32..1e3, 0..40),
            b in prop::collection::vec(9e3_f32..1e4, 0..40),
        ) {
            let mut merged = of(&a);
            merged.merge(&of(&b));
            let all: Vec<f32> = a.iter().chain(&b).copied().collect();
            let count = all.len().max(1) as f64;
            let mean = all.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
            let variance = all.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / count;
            for moments in [merged, of(&all)] {
                prop_assert_eq!(moments.count(), all.len() as u64);
                prop_assert!((moments.mean()[0] - mean).abs() <= 1e-9 * mean.abs().max(1.0));
                prop_assert!((moments.variance().next().unwrap() - variance).abs() <= 1e-9 * variance.max(1.0));
            }
        }
    }

    #[test]
    fn a_large_mean_does_not_drown_a_small_spread() {
        let moments = of(&[8_388_607.0, 8_388_608.0, 8_388_609.0]);
        assert!((moments.variance().next().unwrap() - 2.0 / 3.0).abs() < 1e-6);
    }
}
