//! A fitted model of one quantity at one way, and how far it is off on samples that it has not seen.

use crate::features::Features;
use crate::statistics::{apply, mean, non_negative_least_squares, root_mean_square};

/// Predicts one quantity at one way.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    /// For JPEGs and for other formats, whose decoders have nothing in common.
    kinds: [Linear; 2],
}

/// What is known of how well it predicts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Error {
    /// Root mean square over the mean, on samples left out of the fit; `None` where there were too few.
    pub(crate) relative: Option<f64>,
}

#[derive(Clone, Debug, Default)]
struct Linear {
    observations: usize,
    coefficients: Vec<f64>,
    /// What makes predictions of the measured samples add up to what was measured.
    level: f64,
}

/// Parts that are left out of the fit in turn.
const FOLDS: usize = 5;

// === impl Model ===

impl Model {
    /// Fits observations: a sample's predictors and what was measured of it.
    pub(crate) fn fit(observations: &[(&Features, f64)]) -> (Self, Error) {
        let whole = Self::of(observations);
        let mut residuals = Vec::new();
        if observations.len() >= 2 * FOLDS {
            for fold in 0..FOLDS {
                let in_fold = |place: usize| place % FOLDS == fold;
                let kept = observations.iter().enumerate().filter(|(place, _)| !in_fold(*place)).map(|(_, one)| *one);
                let model = Self::of(&kept.collect::<Vec<_>>());
                let left_out = observations.iter().enumerate().filter(|(place, _)| in_fold(*place));
                residuals.extend(left_out.map(|(_, (features, value))| model.predict(features) - value));
            }
        }
        let level = mean(&observations.iter().map(|(_, value)| *value).collect::<Vec<_>>());
        let relative = (!residuals.is_empty() && level > 0.0).then(|| root_mean_square(&residuals) / level);
        (whole, Error { relative })
    }

    fn of(observations: &[(&Features, f64)]) -> Self {
        let of_kind = |jpeg: bool| {
            let kind: Vec<_> = observations.iter().filter(|(features, _)| features.jpeg == jpeg).copied().collect();
            Linear::fit(&kind)
        };
        Self { kinds: [of_kind(true), of_kind(false)] }
    }

    /// What a sample is expected to take. A kind of which none was measured is taken for the other.
    pub(crate) fn predict(&self, features: &Features) -> f64 {
        let [jpeg, other] = &self.kinds;
        let (own, foreign) = if features.jpeg { (jpeg, other) } else { (other, jpeg) };
        let linear = if own.observations > 0 { own } else { foreign };
        linear.predict(features)
    }
}

// === impl Linear ===

impl Linear {
    fn fit(observations: &[(&Features, f64)]) -> Self {
        let count = observations.len();
        let rows: Vec<_> = observations.iter().map(|(features, _)| features.columns(count)).collect();
        let targets: Vec<_> = observations.iter().map(|(_, value)| *value).collect();
        // What scatters, scatters with the photo's size.
        let weights: Vec<_> = observations.iter().map(|(features, _)| 1.0 / features.stored().max(1.0)).collect();
        let coefficients = non_negative_least_squares(&rows, &targets, &weights);
        let fitted: f64 = rows.iter().map(|row| apply(&coefficients, row)).sum();
        let level = if fitted > 0.0 { targets.iter().sum::<f64>() / fitted } else { 0.0 };
        Self { observations: count, coefficients, level }
    }

    fn predict(&self, features: &Features) -> f64 {
        self.level * apply(&self.coefficients, &features.columns(self.observations))
    }
}

#[cfg(test)]
mod tests {
    use headwater_types::{Address, Draws, Recipe, SampleKey, Size};

    use super::*;
    use crate::survey::PhotoHeader;

    fn features(i: u32, jpeg: bool) -> Features {
        let key: SampleKey = format!("red/{i}").parse().unwrap();
        let size = Size { width: 300 + i * 7 % 400, height: 200 + i * 13 % 300 };
        let draws = Draws { address: Address::new(1, 0), key: &key };
        let recipe = Recipe::builtin("imagenet-train").unwrap();
        Features::new(u64::from(10_000 + i * 997 % 90_000), PhotoHeader { jpeg, size }, &recipe, &draws)
    }

    #[test]
    fn what_depends_on_size_and_crop_is_predicted_for_samples_that_were_not_seen() {
        let cost = |features: &Features| {
            let row = features.columns(1000);
            (30.0 + 0.02 * row[3] + 0.001 * row[5]) * if features.jpeg { 1.0 } else { 3.0 }
        };
        let all: Vec<_> = (0..300).map(|i| features(i, i % 4 > 0)).collect();
        let seen: Vec<_> = all[..150].iter().map(|features| (features, cost(features))).collect();
        let (model, error) = Model::fit(&seen);
        assert!(error.relative.unwrap() < 0.02, "{error:?}");
        for unseen in &all[150..] {
            assert!((model.predict(unseen) / cost(unseen) - 1.0).abs() < 0.1);
        }
    }

    #[test]
    fn few_observations_give_a_plain_model_and_none_give_nothing() {
        let few: Vec<_> = (0..4).map(|i| features(i, true)).collect();
        let seen: Vec<_> = few.iter().map(|features| (features, 5.0)).collect();
        let (model, error) = Model::fit(&seen);
        assert!(error.relative.is_none());
        assert!((model.predict(&features(9, false)) - 5.0).abs() < 2.0, "of the other kind none was seen");
        let (nothing, _) = Model::fit(&[]);
        assert_eq!(nothing.predict(&few[0]), 0.0);
    }
}
