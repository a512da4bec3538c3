//! Least squares with coefficients that are not negative, and what is said of numbers that scatter.

/// Coefficients of a linear model: one for each column, none below zero.
///
/// By coordinate descent on the normal equations of columns scaled to length 1: the problem is convex, so that it ends
/// in the best there is, also where columns are nearly the same (Franc, Hlavac, Navara 2005). Rows of `columns.len()`
/// numbers.
pub(crate) fn non_negative_least_squares(rows: &[Vec<f64>], targets: &[f64], weights: &[f64]) -> Vec<f64> {
    let Some(width) = rows.first().map(Vec::len) else { return Vec::new() };
    let mut gram = vec![vec![0.0; width]; width];
    let mut right = vec![0.0; width];
    for ((row, target), weight) in rows.iter().zip(targets).zip(weights) {
        for i in 0..width {
            right[i] += weight * row[i] * target;
            for j in 0..width {
                gram[i][j] += weight * row[i] * row[j];
            }
        }
    }
    let scale: Vec<f64> = (0..width).map(|i| if gram[i][i] > 0.0 { gram[i][i].sqrt().recip() } else { 0.0 }).collect();
    for i in 0..width {
        right[i] *= scale[i];
        for j in 0..width {
            gram[i][j] *= scale[i] * scale[j];
        }
    }
    let mut solution = vec![0.0; width];
    for _ in 0..MOST_SWEEPS {
        let mut moved = 0.0_f64;
        for i in (0..width).filter(|&i| scale[i] > 0.0) {
            let of_others: f64 = (0..width).map(|j| gram[i][j] * solution[j]).sum::<f64>() - solution[i] * gram[i][i];
            let best = ((right[i] - of_others) / gram[i][i]).max(0.0);
            moved = moved.max((best - solution[i]).abs() / best.max(f64::MIN_POSITIVE));
            solution[i] = best;
        }
        if moved < SMALL {
            break;
        }
    }
    solution.iter().zip(&scale).map(|(value, scale)| value * scale).collect()
}

const MOST_SWEEPS: usize = 20_000;
const SMALL: f64 = 1e-9;

/// A linear model's answer.
pub(crate) fn apply(coefficients: &[f64], row: &[f64]) -> f64 {
    coefficients.iter().zip(row).map(|(a, b)| a * b).sum()
}

/// The middle one, or the mean of the two in the middle; 0 of none.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => sorted[odd / 2],
        even => sorted[even / 2 - 1].midpoint(sorted[even / 2]),
    }
}

/// The mean; 0 of none.
pub(crate) fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// The standard deviation around the mean.
pub(crate) fn deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    if values.len() < 2 { 0.0 } else { (squares / (values.len() - 1) as f64).sqrt() }
}

/// Root mean square.
pub(crate) fn root_mean_square(values: &[f64]) -> f64 {
    mean(&values.iter().map(|value| value * value).collect::<Vec<_>>()).sqrt()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_law_that_holds_is_found_also_between_columns_that_are_alike() {
        let rows: Vec<_> =
            (0..200).map(|i| vec![1.0, f64::from(i), f64::from(i * i) / 50.0, f64::from(i) * 1.001 + 0.01]).collect();
        let targets: Vec<_> = rows.iter().map(|row| 3.0 + 2.0 * row[1] + 0.5 * row[2]).collect();
        let found = non_negative_least_squares(&rows, &targets, &vec![1.0; 200]);
        for (row, target) in rows.iter().zip(&targets) {
            assert!((apply(&found, row) / target - 1.0).abs() < 1e-2, "{found:?}");
        }
    }

    #[test]
    fn what_would_be_negative_is_left_out() {
        let rows: Vec<_> = (0..50).map(|i| vec![1.0, f64::from(i)]).collect();
        let falling: Vec<_> = (0..50).map(|i| 100.0 - f64::from(i)).collect();
        let found = non_negative_least_squares(&rows, &falling, &vec![1.0; 50]);
        assert!(found[1] == 0.0 && (found[0] - 75.5).abs() < 1e-6, "{found:?}");
        assert!(non_negative_least_squares(&[], &[], &[]).is_empty());
    }

    proptest! {
        #[test]
        fn no_small_change_makes_it_better(
            rows in prop::collection::vec(prop::collection::vec(0.0_f64..10.0, 3), 4..20),
            seed in prop::collection::vec(-5.0_f64..20.0, 20),
        ) {
            let targets = &seed[..rows.len()];
            let weights = vec![1.0; rows.len()];
            let found = non_negative_least_squares(&rows, targets, &weights);
            let error = |c: &[f64]| rows.iter().zip(targets).map(|(r, t)| (apply(c, r) - t).powi(2)).sum::<f64>();
            let best = error(&found);
            for i in 0..3 {
                for step in [-1e-3, 1e-3] {
                    let mut other = found.clone();
                    other[i] = (other[i] + step).max(0.0);
                    prop_assert!(error(&other) >= best - 1e-6 * best.max(1.0));
                }
            }
        }
    }

    #[test]
    fn the_middle_is_the_middle() {
        assert_eq!((median(&[3.0, 1.0, 2.0]), median(&[4.0, 1.0]), median(&[])), (2.0, 2.5, 0.0));
        assert!((deviation(&[1.0, 2.0, 3.0]) - 1.0).abs() < 1e-12 && root_mean_square(&[3.0, 4.0]) == 12.5_f64.sqrt());
    }
}
