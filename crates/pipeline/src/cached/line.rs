//! How long something takes, as a line over its size: so much for each, and so much for each unit.
//!
//! Least squares over what was measured, where each measurement weighs a little less than the next: a disk that became
//! slow is known after some hundred reads.

use std::sync::{Mutex, PoisonError};

/// A line that follows what is measured.
#[derive(Debug, Default)]
pub(super) struct Line(Mutex<Sums>);

#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    weight: f64,
    x: f64,
    y: f64,
    xx: f64,
    xy: f64,
}

/// What a measurement weighs less with each that comes after it: half of its weight after about 140.
const FADES: f64 = 0.995;

// === impl Line ===

impl Line {
    /// Takes a measurement: something of this size took so many seconds.
    pub(super) fn add(&self, size: f64, seconds: f64) {
        if !(size.is_finite() && seconds.is_finite() && seconds >= 0.0) {
            return;
        }
        let mut sums = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Sums { weight, x, y, xx, xy } = *sums;
        *sums = Sums {
            weight: weight * FADES + 1.0,
            x: x * FADES + size,
            y: y * FADES + seconds,
            xx: xx * FADES + size * size,
            xy: xy * FADES + size * seconds,
        };
    }

    /// About how long something of this size takes, in seconds; `None` before anything was measured.
    pub(super) fn at(&self, size: f64) -> Option<f64> {
        let sums = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Sums { weight, x, y, xx, xy } = sums;
        if weight <= 0.0 {
            return None;
        }
        let (mean_x, mean_y) = (x / weight, y / weight);
        let (variance, covariance) = (xx / weight - mean_x * mean_x, xy / weight - mean_x * mean_y);
        // Sizes that hardly differ say nothing of what a unit costs; and no unit saves time, nor does having none cost
        // less than nothing.
        let most = if mean_x > 0.0 { mean_y / mean_x } else { 0.0 };
        let slope = if variance > 1e-9 * mean_x * mean_x { (covariance / variance).clamp(0.0, most) } else { 0.0 };
        Some((mean_y + slope * (size - mean_x)).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_each_costs_and_what_a_unit_costs_are_told_apart() {
        let line = Line::default();
        assert_eq!(line.at(1.0), None);
        for size in 1..=100 {
            line.add(f64::from(size) * 1000.0, 5e-3 + f64::from(size) * 50e-6);
        }
        for (size, seconds) in [(0.0, 5e-3), (110_000.0, 10.5e-3)] {
            assert!((line.at(size).unwrap() - seconds).abs() < 1e-6, "{size}: {:?}", line.at(size));
        }
    }

    #[test]
    fn one_size_is_its_mean_and_the_latest_count_most() {
        let line = Line::default();
        (0..100).for_each(|_| line.add(10.0, 2.0));
        assert!((line.at(10.0).unwrap() - 2.0).abs() < 1e-9 && (line.at(99.0).unwrap() - 2.0).abs() < 1e-9);
        (0..1000).for_each(|_| line.add(10.0, 4.0));
        assert!((line.at(10.0).unwrap() - 4.0).abs() < 0.02);
        for (size, seconds) in [(f64::NAN, 1.0), (1.0, f64::INFINITY), (1.0, -1.0)] {
            line.add(size, seconds);
        }
        assert!((line.at(10.0).unwrap() - 4.0).abs() < 0.02);
    }

    #[test]
    fn no_line_falls_below_zero_or_with_size() {
        let line = Line::default();
        for (size, seconds) in [(10.0, 5.0), (20.0, 1.0), (30.0, 0.1)] {
            line.add(size, seconds);
        }
        assert!(line.at(0.0).unwrap() >= 0.0 && line.at(1e9).unwrap() >= line.at(0.0).unwrap());
    }
}
