//! How the learning rate goes over a training: up in a straight line, then down along a cosine.

use std::f64::consts::PI;

/// The learning rate at `progress` (0 at the first step, 1 after the last) as a share of its peak: linear warm-up over
/// the first `warmup` of the training (Goyal et al. 2017), then half a cosine down to 0 (Loshchilov and Hutter 2017).
pub fn learning_rate_share(progress: f64, warmup: f64) -> f64 {
    if progress < warmup {
        return progress / warmup;
    }
    let rest = ((progress - warmup) / (1.0 - warmup)).clamp(0.0, 1.0);
    (1.0 + (PI * rest).cos()) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rises_to_its_peak_and_falls_to_nothing() {
        let shares: Vec<f64> = (0..=100).map(|percent| learning_rate_share(f64::from(percent) / 100.0, 0.1)).collect();
        assert_eq!((shares[0], shares[5], shares[10]), (0.0, 0.5, 1.0));
        assert!((shares[55] - 0.5).abs() < 1e-12 && shares[100].abs() < 1e-12);
        assert!(shares[..=10].is_sorted() && shares[10..].iter().rev().is_sorted());
        assert_eq!(learning_rate_share(0.0, 0.0), 1.0);
    }
}
