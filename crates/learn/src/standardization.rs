//! Features brought to zero mean and about unit spread, so that one learning rate suits all of their numbers.

use ndarray::{Array1, ArrayRef1, Zip};

use crate::moments::Moments;
use crate::network::Linear;

/// What to subtract from each number of a feature, and then to multiply it by. In f32, and so are the numbers that
/// [`Standardization::refold`] folds in: what training sees is what the folded layer computes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Standardization {
    mean: Array1<f32>,
    factor: Array1<f32>,
}

// === impl Standardization ===

impl Standardization {
    /// A standardisation that changes nothing.
    pub(crate) fn none(dim: usize) -> Self {
        Self { mean: Array1::zeros(dim), factor: Array1::ones(dim) }
    }

    /// Subtracts the mean, and divides by the root of the number's variance averaged with the mean variance of all
    /// numbers.
    ///
    /// Dividing by the plain deviation would blow a number that is nearly always 0 (a rectified feature that fires on a
    /// handful of photos) up to as much weight as any other; dividing all by one deviation leaves the large ones to
    /// drown the rest. Variances shrunk halfway to their mean are the middle way (as in regularised discriminant
    /// analysis, Friedman 1989), and never 0 unless every number is constant.
    pub(crate) fn of(moments: &Moments) -> Self {
        let variance: Array1<f64> = moments.variance().collect();
        let mean_variance = variance.mean().unwrap_or(0.0);
        // Below, the factor would not fit f32.
        let factor = if mean_variance.sqrt() > f64::from(f32::MIN_POSITIVE) {
            variance.mapv(|variance| ((variance + mean_variance) / 2.0).sqrt().recip() as f32)
        } else {
            Array1::ones(variance.len())
        };
        Self { mean: moments.mean().iter().map(|&mean| mean as f32).collect(), factor }
    }

    /// Length of a feature.
    pub(crate) fn dim(&self) -> usize {
        self.mean.len()
    }

    /// Writes a feature, standardised.
    pub(crate) fn apply(&self, feature: &ArrayRef1<f32>, out: &mut ArrayRef1<f32>) {
        Zip::from(out).and(feature).and(&self.mean).and(&self.factor).for_each(|out, &value, &mean, &factor| {
            *out = (value - mean) * factor;
        });
    }

    /// Standardises a feature where it is.
    pub(crate) fn apply_in_place(&self, feature: &mut ArrayRef1<f32>) {
        Zip::from(feature).and(&self.mean).and(&self.factor).for_each(|value, &mean, &factor| {
            *value = (*value - mean) * factor;
        });
    }

    /// Changes a layer that was fed features standardised by `self` so that it gives the same when fed them
    /// standardised by `next`. In f64: the products of large means and large factors cancel.
    pub(crate) fn refold(&self, layer: &mut Linear, next: &Self) {
        let wide = |numbers: &Array1<f32>| numbers.mapv(f64::from);
        let ratio = wide(&self.factor) / wide(&next.factor);
        let shift = (wide(&next.mean) - wide(&self.mean)) * wide(&self.factor);
        for (mut weights, bias) in layer.weight.rows_mut().into_iter().zip(&mut layer.bias) {
            let mut sum = f64::from(*bias);
            Zip::from(&mut weights).and(&ratio).and(&shift).for_each(|weight, ratio, shift| {
                sum += f64::from(*weight) * shift;
                *weight = (f64::from(*weight) * ratio) as f32;
            });
            *bias = sum as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn constant_numbers_do_not_divide_by_nothing() {
        let mut moments = Moments::new(2);
        moments.add(&[5.0, -1.0]);
        assert_eq!(Standardization::of(&moments).factor, array![1.0, 1.0]);
        moments.add(&[5.0, 3.0]);
        // Variances 0 and 4: shrunk halfway to their mean, 1 and 3.
        let standardization = Standardization::of(&moments);
        assert_eq!(standardization.factor, array![1.0, 3_f64.sqrt().recip() as f32]);
        let mut out = array![0.0_f32, 0.0];
        standardization.apply(&array![7.0, 1.0], &mut out);
        assert_eq!(out, array![2.0, 0.0]);
    }
}
