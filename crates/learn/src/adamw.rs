//! AdamW: Adam whose weight decay does not pass through the gradient (Loshchilov and Hutter, ICLR 2019, algorithm 2).

use ndarray::Zip;

use crate::network::Network;

/// Running moments of the gradient, and how many steps were taken.
#[derive(Clone, Debug)]
pub(crate) struct AdamW {
    first: Network,
    second: Network,
    steps: i32,
}

/// The weight of the old in the running mean of the gradient and of its square, and what keeps the division finite. The
/// values are the paper's.
const BETA1: f32 = 0.9;
const BETA2: f32 = 0.999;
const EPSILON: f32 = 1e-8;

// === impl AdamW ===

impl AdamW {
    /// An optimiser that has seen nothing, for networks of this one's shape.
    pub(crate) fn new(network: &Network) -> Self {
        Self { first: network.zeros_like(), second: network.zeros_like(), steps: 0 }
    }

    /// Takes one step. Weights decay by `learning_rate * weight_decay` of themselves; biases do not decay.
    pub(crate) fn step(&mut self, network: &mut Network, gradients: &Network, learning_rate: f32, weight_decay: f32) {
        self.steps = self.steps.saturating_add(1);
        let correction = |beta: f32| (1.0 - f64::from(beta).powi(self.steps)) as f32;
        let step = Step {
            rate: learning_rate / correction(BETA1),
            second_scale: 1.0 / correction(BETA2),
            keep: 1.0 - learning_rate * weight_decay,
        };
        let moments = self.first.layers.iter_mut().zip(&mut self.second.layers);
        for ((layer, gradient), (first, second)) in network.layers.iter_mut().zip(&gradients.layers).zip(moments) {
            Zip::from(&mut layer.weight)
                .and(&gradient.weight)
                .and(&mut first.weight)
                .and(&mut second.weight)
                .for_each(|value, &gradient, first, second| step.update(value, gradient, first, second));
            let step = Step { keep: 1.0, ..step };
            Zip::from(&mut layer.bias)
                .and(&gradient.bias)
                .and(&mut first.bias)
                .and(&mut second.bias)
                .for_each(|value, &gradient, first, second| step.update(value, gradient, first, second));
        }
    }
}

/// What one step does to every parameter.
#[derive(Clone, Copy)]
struct Step {
    rate: f32,
    second_scale: f32,
    keep: f32,
}

// === impl Step ===

impl Step {
    #[inline]
    fn update(self, value: &mut f32, gradient: f32, first: &mut f32, second: &mut f32) {
        *first += (1.0 - BETA1) * (gradient - *first);
        *second += (1.0 - BETA2) * (gradient * gradient - *second);
        *value = *value * self.keep - self.rate * *first / ((*second * self.second_scale).sqrt() + EPSILON);
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::network::Linear;

    fn one_weight(weight: f32, bias: f32) -> Network {
        Network { layers: vec![Linear { weight: array![[weight]], bias: array![bias] }] }
    }

    /// The algorithm as the paper prints it, in f64.
    fn reference(mut value: f64, gradients: &[f64], rate: f64, decay: f64) -> f64 {
        let (mut m, mut v) = (0.0, 0.0);
        for (step, gradient) in (1..).zip(gradients) {
            m = 0.9 * m + 0.1 * gradient;
            v = 0.999 * v + 0.001 * gradient * gradient;
            let (m_hat, v_hat) = (m / (1.0 - 0.9_f64.powi(step)), v / (1.0 - 0.999_f64.powi(step)));
            value -= rate * (m_hat / (v_hat.sqrt() + 1e-8) + decay * value);
        }
        value
    }

    #[test]
    fn it_takes_the_papers_steps_and_spares_biases_from_decay() {
        let gradients = [0.3, -2.0, 1e-3, 0.0, 5.0];
        let mut network = one_weight(1.5, 1.5);
        let mut optimizer = AdamW::new(&network);
        for gradient in gradients {
            optimizer.step(&mut network, &one_weight(gradient, gradient), 0.05, 0.4);
        }
        let gradients = gradients.map(f64::from);
        let layer = &network.layers[0];
        assert!((f64::from(layer.weight[[0, 0]]) - reference(1.5, &gradients, 0.05, 0.4)).abs() < 1e-5);
        assert!((f64::from(layer.bias[0]) - reference(1.5, &gradients, 0.05, 0.0)).abs() < 1e-5);
    }
}
