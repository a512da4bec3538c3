//! Softmax and cross-entropy, stable for logits of any size.

use headwater_types::ClassId;
use ndarray::{Array2, ArrayRef1};

/// Natural logarithm of the sum of `exp`, shifted by the largest so that nothing overflows.
fn log_sum_exp(logits: &ArrayRef1<f32>) -> f64 {
    let largest = f64::from(logits.fold(f32::NEG_INFINITY, |a, &b| a.max(b)));
    largest + logits.iter().map(|&logit| (f64::from(logit) - largest).exp()).sum::<f64>().ln()
}

/// Cross-entropy of one sample, in nats.
pub(crate) fn cross_entropy(logits: &ArrayRef1<f32>, label: ClassId) -> f64 {
    log_sum_exp(logits) - f64::from(logits[label.0 as usize])
}

/// Mean cross-entropy of a batch `[n, c]`, in nats, against targets of which `smoothing` is spread evenly over all
/// classes (Szegedy et al. 2016). Leaves the gradient of that mean in the logits' place.
pub(crate) fn loss_and_gradient(logits: &mut Array2<f32>, labels: &[ClassId], smoothing: f32) -> f64 {
    let scale = 1.0 / labels.len().max(1) as f32;
    let losses =
        logits.rows_mut().into_iter().zip(labels).map(|(mut row, label)| one(&mut row, *label, smoothing, scale));
    losses.sum::<f64>() * f64::from(scale)
}

/// Loss of one sample; leaves `scale` times its gradient, softmax - target, in the logits' place.
fn one(row: &mut ArrayRef1<f32>, label: ClassId, smoothing: f32, scale: f32) -> f64 {
    let (target, everywhere) = (1.0 - smoothing, smoothing / row.len() as f32);
    let label = label.0 as usize;
    let log_sum = log_sum_exp(row);
    let sum: f64 = row.iter().map(|&logit| f64::from(logit)).sum();
    let loss = log_sum - f64::from(target) * f64::from(row[label]) - f64::from(everywhere) * sum;
    row.mapv_inplace(|logit| ((f64::from(logit) - log_sum).exp() as f32 - everywhere) * scale);
    row[label] -= target * scale;
    loss
}

#[cfg(test)]
mod tests {
    use ndarray::array;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn logits_of_any_size_give_a_finite_loss_and_gradient(
            row in prop::collection::vec(-1e38_f32..1e38, 3),
            smoothing in prop::sample::select(vec![0.0_f32, 0.1]),
        ) {
            let mut logits = Array2::from_shape_vec((1, 3), row).unwrap();
            let loss = loss_and_gradient(&mut logits, &[ClassId(1)], smoothing);
            prop_assert!(loss.is_finite() && loss >= 0.0, "{}", loss);
            prop_assert!(logits.iter().all(|gradient| gradient.abs() <= 1.0));
            prop_assert!(logits.sum().abs() < 1e-6);
        }

        #[test]
        fn shifting_all_logits_changes_nothing(row in prop::collection::vec(-5.0_f32..5.0, 4), by in -64_i8..64) {
            let row = Array2::from_shape_vec((1, 4), row).unwrap();
            let shifted = row.mapv(|logit| logit + f32::from(by));
            let loss = |row: &Array2<f32>| cross_entropy(&row.row(0), ClassId(2));
            prop_assert!((loss(&row) - loss(&shifted)).abs() < 1e-4);
        }
    }

    #[test]
    fn the_loss_is_what_the_definition_says() {
        let mut logits = array![[1.0_f32, 2.0, 3.0], [0.0, 0.0, 0.0]];
        let loss = loss_and_gradient(&mut logits, &[ClassId(0), ClassId(2)], 0.0);
        let first = (1_f64.exp() + 2_f64.exp() + 3_f64.exp()).ln() - 1.0;
        assert!((loss - (first + 3_f64.ln()) / 2.0).abs() < 1e-6);
        let third = 1.0_f32 / 6.0;
        assert!((logits[[1, 0]] - third).abs() < 1e-6 && (logits[[1, 2]] - (third - 0.5)).abs() < 1e-6);
    }
}
