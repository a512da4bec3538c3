//! Fully connected layers with a rectifier between: forwards, and backwards to the gradient of every weight.
//!
//! Invariant: adjacent layers fit. Products run in `ndarray`'s GEMM, on the calling thread.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array1, Array2, ArrayRef2, Axis, Zip};

/// `y = x W^T + b` for rows `x`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Linear {
    /// `[outputs, inputs]`.
    pub(crate) weight: Array2<f32>,
    /// `[outputs]`.
    pub(crate) bias: Array1<f32>,
}

/// One or more layers; also the shape of everything that goes with them (gradients, their running moments).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Network {
    /// From features to logits.
    pub(crate) layers: Vec<Linear>,
}

// === impl Linear ===

impl Linear {
    pub(crate) fn zeros(inputs: usize, outputs: usize) -> Self {
        Self { weight: Array2::zeros((outputs, inputs)), bias: Array1::zeros(outputs) }
    }

    /// Puts zeros everywhere.
    pub(crate) fn clear(&mut self) {
        self.weight.fill(0.0);
        self.bias.fill(0.0);
    }

    /// Keeps `share` of every number, and adds `other`'s.
    pub(crate) fn decay_and_add(&mut self, share: f32, other: &Self) {
        Zip::from(&mut self.weight).and(&other.weight).for_each(|value, other| *value = share * *value + other);
        Zip::from(&mut self.bias).and(&other.bias).for_each(|value, other| *value = share * *value + other);
    }

    /// Adds `scale` times every number of `other`.
    pub(crate) fn add_scaled(&mut self, scale: f32, other: &Self) {
        self.weight.scaled_add(scale, &other.weight);
        self.bias.scaled_add(scale, &other.bias);
    }

    fn forward(&self, x: &ArrayRef2<f32>) -> Array2<f32> {
        let mut y = Array2::zeros((x.nrows(), self.bias.len()));
        y += &self.bias;
        general_mat_mul(1.0, x, &self.weight.t(), 1.0, &mut y);
        y
    }
}

// === impl Network ===

impl Network {
    /// Zeros in this one's shape.
    pub(crate) fn zeros_like(&self) -> Self {
        let zeros = |layer: &Linear| Linear::zeros(layer.weight.ncols(), layer.weight.nrows());
        Self { layers: self.layers.iter().map(zeros).collect() }
    }

    /// Whether every weight is a number.
    pub(crate) fn is_finite(&self) -> bool {
        let all = |layer: &Linear| layer.weight.iter().chain(&layer.bias).all(|value| value.is_finite());
        self.layers.iter().all(all)
    }

    /// Logits `[n, outputs]` of features `[n, inputs]`.
    pub(crate) fn logits(&self, x: &ArrayRef2<f32>) -> Array2<f32> {
        self.outputs(x).pop().unwrap_or_else(|| x.to_owned())
    }

    /// What each layer gives, rectified but for the last: `[n, outputs]` each.
    pub(crate) fn outputs(&self, x: &ArrayRef2<f32>) -> Vec<Array2<f32>> {
        let mut outputs: Vec<Array2<f32>> = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            if let Some(previous) = outputs.last_mut() {
                previous.mapv_inplace(|value| value.max(0.0));
            }
            let input = outputs.last().map_or(x, |previous| previous);
            outputs.push(layer.forward(input));
        }
        outputs
    }

    /// Writes the gradient of every weight to `gradients`, from the batch `x`, what [`Network::outputs`] gave for it,
    /// and the gradient of the loss to the logits.
    pub(crate) fn backward(
        &self,
        x: &ArrayRef2<f32>,
        outputs: &[Array2<f32>],
        logits_gradient: Array2<f32>,
        gradients: &mut Self,
    ) {
        let mut above = logits_gradient;
        for (index, layer) in self.layers.iter().enumerate().rev() {
            let below = index.checked_sub(1).map(|below| &outputs[below]);
            let gradient = &mut gradients.layers[index];
            general_mat_mul(1.0, &above.t(), below.map_or(x, |output| output), 0.0, &mut gradient.weight);
            gradient.bias.assign(&above.sum_axis(Axis(0)));
            if let Some(output) = below {
                let mut next = above.dot(&layer.weight);
                Zip::from(&mut next).and(output).for_each(|gradient, &output| {
                    if output <= 0.0 {
                        *gradient = 0.0;
                    }
                });
                above = next;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use headwater_types::{ClassId, Seed};
    use proptest::prelude::*;

    use super::*;
    use crate::random::{Generator, Purpose};
    use crate::softmax::loss_and_gradient;

    /// The mean loss of a batch, straight from the definition, in f64.
    fn reference_loss(network: &Network, x: &Array2<f64>, labels: &[ClassId], smoothing: f64, nudge: Nudge) -> f64 {
        let mut y = x.clone();
        for (index, layer) in network.layers.iter().enumerate() {
            if index > 0 {
                y.mapv_inplace(|value| value.max(0.0));
            }
            let (mut weight, mut bias) = (layer.weight.mapv(f64::from), layer.bias.mapv(f64::from));
            match nudge {
                Nudge::Weight(at, row, column, by) if at == index => weight[[row, column]] += by,
                Nudge::Bias(at, row, by) if at == index => bias[row] += by,
                _ => {}
            }
            y = y.dot(&weight.t()) + &bias;
        }
        let classes = y.ncols() as f64;
        let losses = y.rows().into_iter().zip(labels).map(|(row, label)| {
            let log_sum = row.mapv(f64::exp).sum().ln();
            let target = (1.0 - smoothing) * row[label.0 as usize] + smoothing / classes * row.sum();
            log_sum - target
        });
        losses.sum::<f64>() / labels.len() as f64
    }

    /// A parameter that is moved a little.
    #[derive(Clone, Copy)]
    enum Nudge {
        Weight(usize, usize, usize, f64),
        Bias(usize, usize, f64),
    }

    fn random(rows: usize, columns: usize, generator: &mut Generator) -> Array2<f32> {
        Array2::from_shape_simple_fn((rows, columns), || generator.normal() as f32)
    }

    fn network(sizes: &[usize], generator: &mut Generator) -> Network {
        let layer = |pair: &[usize]| Linear {
            weight: random(pair[1], pair[0], generator),
            bias: random(1, pair[1], generator).row(0).to_owned(),
        };
        Network { layers: sizes.windows(2).map(layer).collect() }
    }

    fn check_gradients(sizes: &[usize], samples: usize, smoothing: f32, seed: u64) -> Result<(), TestCaseError> {
        let mut generator = Generator::new(Purpose::Weights, Seed(seed), 0);
        let network = network(sizes, &mut generator);
        let x = random(samples, sizes[0], &mut generator);
        let labels: Vec<_> = (0..samples).map(|_| ClassId(generator.below(sizes[sizes.len() - 1]) as u32)).collect();
        let mut outputs = network.outputs(&x);
        let mut logits = outputs.pop().unwrap();
        let loss = loss_and_gradient(&mut logits, &labels, smoothing);
        let mut gradients = network.zeros_like();
        network.backward(&x, &outputs, logits, &mut gradients);

        let x = x.mapv(f64::from);
        let reference = |nudge| reference_loss(&network, &x, &labels, smoothing.into(), nudge);
        prop_assert!((loss - reference(Nudge::Bias(0, 0, 0.0))).abs() < 1e-4);
        let step = 1e-6;
        let slope = |nudge: &dyn Fn(f64) -> Nudge| (reference(nudge(step)) - reference(nudge(-step))) / (2.0 * step);
        for (index, layer) in gradients.layers.iter().enumerate() {
            for ((row, column), &gradient) in layer.weight.indexed_iter() {
                let expected = slope(&|by| Nudge::Weight(index, row, column, by));
                prop_assert!((f64::from(gradient) - expected).abs() < 1e-4, "weight {index} {row} {column}");
            }
            for (row, &gradient) in layer.bias.indexed_iter() {
                let expected = slope(&|by| Nudge::Bias(index, row, by));
                prop_assert!((f64::from(gradient) - expected).abs() < 1e-4, "bias {index} {row}");
            }
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn gradients_of_softmax_regression_are_the_slopes_of_the_loss(
            dim in 1_usize..9, classes in 1_usize..6, samples in 1_usize..12, smoothing in 0_u8..2, seed: u64,
        ) {
            check_gradients(&[dim, classes], samples, f32::from(smoothing) * 0.1, seed)?;
        }

        #[test]
        fn gradients_of_a_perceptron_are_the_slopes_of_the_loss(
            dim in 1_usize..9, hidden in 1_usize..9, classes in 1_usize..6, samples in 1_usize..12, seed: u64,
        ) {
            check_gradients(&[dim, hidden, classes], samples, 0.1, seed)?;
        }
    }
}
