//! A classifier over features: softmax regression, or a multilayer perceptron with one hidden layer.
//!
//! Inside, a head sees standardised features; outside, features as the extractor gives them. [`Head::weights`] folds
//! the one into the other, so that whoever runs the head needs to know nothing of it.

use headwater_types::Seed;
use headwater_types::caps::MAX_HEAD_WEIGHTS;
use ndarray::ArrayView2;

use crate::error::LearnError;
use crate::moments::Moments;
use crate::network::{Linear, Network};
use crate::random::{Generator, Purpose};
use crate::standardization::Standardization;

/// What lies between features and logits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadKind {
    /// One layer: softmax regression, also called a linear head.
    Softmax,
    /// Two layers with a rectifier between.
    Mlp {
        /// Units of the hidden layer.
        hidden: usize,
    },
}

/// A classifier head in training.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    kind: HeadKind,
    standardization: Standardization,
    network: Network,
    /// Whether a step was taken. Before, the function is constant, and the first layer's weights stay as they were
    /// drawn.
    is_trained: bool,
}

/// A head as plain numbers, for features as the extractor gives them: `W2 relu(W1 x + b1) + b2`, or `W1 x + b1`.
#[derive(Clone, Debug, PartialEq)]
pub struct HeadWeights {
    /// One layer, or two with a rectifier between.
    pub layers: Vec<Dense>,
}

/// A fully connected layer, `y = W x + b`.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    /// Length of `x`.
    pub inputs: usize,
    /// Length of `y`.
    pub outputs: usize,
    /// `W`, f32 `[outputs, inputs]`, row by row.
    pub weights: Vec<f32>,
    /// `b`, f32 `[outputs]`.
    pub bias: Vec<f32>,
}

// === impl HeadKind ===

impl HeadKind {
    /// By the units of its hidden layer; without one softmax regression.
    pub fn of_hidden(hidden: Option<u32>) -> Self {
        hidden.map_or(Self::Softmax, |hidden| Self::Mlp { hidden: hidden as usize })
    }
}

// === impl Head ===

impl Head {
    /// An untrained head: every class is equally likely, whatever the feature.
    ///
    /// The last layer begins at zero: softmax regression is convex, so that no symmetry has to be broken, and what a
    /// random start puts into directions that no feature points in would stay there. A hidden layer begins as He et al.
    /// (2015) have it for rectifiers: normal, variance 2 / `dim`.
    pub fn new(kind: HeadKind, dim: usize, classes: usize, seed: Seed) -> Result<Self, LearnError> {
        let hidden = match kind {
            HeadKind::Softmax => None,
            HeadKind::Mlp { hidden } => Some(hidden),
        };
        let weights = match hidden {
            None => dim.checked_mul(classes),
            Some(hidden) => dim.checked_add(classes).and_then(|both| both.checked_mul(hidden)),
        };
        let is_empty = dim == 0 || classes == 0 || hidden == Some(0);
        if is_empty || weights.is_none_or(|weights| weights > MAX_HEAD_WEIGHTS) {
            return Err(LearnError::HeadSize { features: dim, hidden, classes, limit: MAX_HEAD_WEIGHTS });
        }
        let layers = match hidden {
            None => vec![Linear::zeros(dim, classes)],
            Some(hidden) => {
                let mut generator = Generator::new(Purpose::Weights, seed, 0);
                let spread = (2.0 / dim as f64).sqrt();
                let mut first = Linear::zeros(dim, hidden);
                first.weight.mapv_inplace(|_| (spread * generator.normal()) as f32);
                vec![first, Linear::zeros(hidden, classes)]
            }
        };
        Ok(Self { kind, standardization: Standardization::none(dim), network: Network { layers }, is_trained: false })
    }

    /// The kind of head.
    pub fn kind(&self) -> HeadKind {
        self.kind
    }

    /// Length of a feature.
    pub fn dim(&self) -> usize {
        self.standardization.dim()
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.network.layers.last().map_or(0, |layer| layer.bias.len())
    }

    /// The head as plain numbers, standardisation folded into the first layer.
    pub fn weights(&self) -> HeadWeights {
        let dense = |layer: Linear| Dense {
            inputs: layer.weight.ncols(),
            outputs: layer.weight.nrows(),
            weights: layer.weight.iter().copied().collect(),
            bias: layer.bias.to_vec(),
        };
        HeadWeights { layers: self.folded().layers.into_iter().map(dense).collect() }
    }

    /// Logits, f32 `[n, classes]` row by row, of features f32 `[n, dim]` row by row.
    pub fn logits(&self, features: &[f32]) -> Result<Vec<f32>, LearnError> {
        let dim = self.dim();
        let (whole, rest) = (features.len() / dim, features.len() % dim);
        let dimension = LearnError::Dimension { expected: dim, actual: rest };
        if rest > 0 {
            return Err(dimension);
        }
        let rows = ArrayView2::from_shape((whole, dim), features).map_err(|_| dimension)?;
        Ok(self.folded().logits(&rows).into_raw_vec_and_offset().0)
    }

    /// The network for features as they are.
    pub(crate) fn folded(&self) -> Network {
        let mut network = self.network.clone();
        if let Some(first) = network.layers.first_mut() {
            self.standardization.refold(first, &Standardization::none(self.dim()));
        }
        network
    }

    /// Standardises by these moments from now on, and changes the first layer so that the head computes what it did.
    pub(crate) fn restandardize(&mut self, moments: &Moments) {
        let next = Standardization::of(moments);
        match self.network.layers.first_mut() {
            Some(first) if self.is_trained => self.standardization.refold(first, &next),
            _ => {}
        }
        self.standardization = next;
    }

    /// Has a head that has learned nothing yet standardise by these moments, for good.
    ///
    /// # Errors
    /// [`LearnError::Dimension`] where they are of other features.
    pub fn standardize(&mut self, moments: &Moments) -> Result<(), LearnError> {
        if moments.dim() != self.dim() {
            return Err(LearnError::Dimension { expected: self.dim(), actual: moments.dim() });
        }
        self.restandardize(moments);
        Ok(())
    }

    pub(crate) fn standardization(&self) -> &Standardization {
        &self.standardization
    }

    pub(crate) fn network(&self) -> &Network {
        &self.network
    }

    /// The network, to be trained.
    pub(crate) fn network_mut(&mut self) -> &mut Network {
        self.is_trained = true;
        &mut self.network
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DIM: usize = 5;

    /// A head with nothing at zero.
    fn random_head(kind: HeadKind, seed: u64) -> Head {
        let mut head = Head::new(kind, DIM, 3, Seed(seed)).unwrap();
        let mut generator = Generator::new(Purpose::Weights, Seed(seed), 1);
        for layer in &mut head.network_mut().layers {
            layer.weight.mapv_inplace(|_| generator.normal() as f32);
            layer.bias.mapv_inplace(|_| generator.normal() as f32);
        }
        head
    }

    /// Moments of features whose numbers have quite different means and spreads.
    fn moments(seed: u64) -> Moments {
        let mut generator = Generator::new(Purpose::Weights, Seed(seed), 2);
        let mut moments = Moments::new(DIM);
        for _ in 0..20 {
            let feature: Vec<f32> =
                (0..DIM).map(|j| (3.0 * j as f64 + (0.1 + j as f64) * generator.normal()) as f32).collect();
            moments.add(&feature);
        }
        moments
    }

    fn close(a: &[f32], b: &[f32]) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-3 * (1.0 + a.abs().max(b.abs())))
    }

    proptest! {
        #[test]
        fn folding_standardization_preserves_logits(
            hidden in 0_usize..4, seed: u64, feature in prop::collection::vec(-20_f32..20.0, 2 * DIM),
        ) {
            let kind = if hidden == 0 { HeadKind::Softmax } else { HeadKind::Mlp { hidden } };
            let mut head = random_head(kind, seed);
            let before = head.logits(&feature).unwrap();
            head.restandardize(&moments(seed));

            // What training sees: standardised features through the unfolded network.
            let mut rows = ndarray::Array2::from_shape_vec((2, DIM), feature.clone()).unwrap();
            for mut row in rows.rows_mut() {
                let feature = row.to_owned();
                head.standardization().apply(&feature, &mut row);
            }
            let inside = head.network().logits(&rows);
            prop_assert!(close(&head.logits(&feature).unwrap(), inside.as_slice().unwrap()));

            // A warm start with other statistics computes what the last run did.
            prop_assert!(close(&head.logits(&feature).unwrap(), &before));
            head.restandardize(&moments(!seed));
            prop_assert!(close(&head.logits(&feature).unwrap(), &before));
        }
    }

    #[test]
    fn weights_alone_compute_the_logits() {
        let mut head = random_head(HeadKind::Mlp { hidden: 4 }, 7);
        head.restandardize(&moments(7));
        let feature = [1.0, -2.0, 3.0, 0.5, 8.0];
        let mut values = feature.to_vec();
        let weights = head.weights();
        assert_eq!(weights.layers.iter().map(|l| (l.inputs, l.outputs)).collect::<Vec<_>>(), [(5, 4), (4, 3)]);
        for (index, layer) in weights.layers.iter().enumerate() {
            if index > 0 {
                values.iter_mut().for_each(|value: &mut f32| *value = value.max(0.0));
            }
            let row =
                |(weights, bias): (&[f32], &f32)| weights.iter().zip(&values).map(|(w, x)| w * x).sum::<f32>() + bias;
            values = layer.weights.chunks_exact(layer.inputs).zip(&layer.bias).map(row).collect();
        }
        assert!(close(&values, &head.logits(&feature).unwrap()));
    }

    #[test]
    fn a_new_head_prefers_no_class_and_keeps_its_random_layer() {
        let mut head = Head::new(HeadKind::Mlp { hidden: 64 }, DIM, 3, Seed(1)).unwrap();
        assert_eq!(head.logits(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap(), [0.0; 3]);
        let drawn = head.network().clone();
        let variance = drawn.layers[0].weight.mapv(|weight| weight * weight).mean().unwrap();
        assert!((variance - 0.4).abs() < 0.1, "{variance}");
        head.restandardize(&moments(1));
        assert_eq!(*head.network(), drawn);
        let again = Head::new(HeadKind::Mlp { hidden: 64 }, DIM, 3, Seed(2)).unwrap();
        assert_ne!(*again.network(), drawn);
    }

    #[test]
    fn impossible_sizes_are_refused_before_memory_is_taken() {
        for (kind, dim, classes) in [
            (HeadKind::Softmax, 0, 3),
            (HeadKind::Softmax, 3, 0),
            (HeadKind::Mlp { hidden: 0 }, 3, 3),
            (HeadKind::Softmax, usize::MAX, 2),
            (HeadKind::Mlp { hidden: usize::MAX / 2 }, 1, 1),
            (HeadKind::Softmax, 1 << 20, 1 << 9),
        ] {
            assert!(matches!(Head::new(kind, dim, classes, Seed(0)), Err(LearnError::HeadSize { .. })), "{kind:?}");
        }
    }
}
