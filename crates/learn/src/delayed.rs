//! Ways that come one by one, each from weights that others have moved on from since: what `async` does with them.

use std::iter::zip;

use crate::parameters::Parameters;

/// Delayed Nesterov (Liu et al. 2024, "Asynchronous Local-SGD Training for Language Modeling", algorithm 3, where c is
/// 0): each way is applied as it comes, as `1 / workers` of a step, and momentum once for as many ways as there are
/// workers, from their mean. Momentum that is applied with each way anew lets the ways of slow workers, which are old,
/// be thrown on by the fast ones'.
#[derive(Clone, Debug, PartialEq)]
pub struct DelayedNesterov {
    momentum: f32,
    learning_rate: f32,
    velocity: Parameters,
    /// The sum of the ways since the velocity was last moved, and how many they are.
    gathered: Parameters,
    count: usize,
}

// === impl DelayedNesterov ===

impl DelayedNesterov {
    /// Begins at rest, with `len` weights.
    pub fn new(len: usize, momentum: f32, learning_rate: f32) -> Self {
        let (velocity, gathered) = (Parameters::zeros(len), Parameters::zeros(len));
        Self { momentum, learning_rate, velocity, gathered, count: 0 }
    }

    /// Moves `weights` by a way that has come, where so many workers take part.
    pub fn apply(&mut self, weights: &mut Parameters, way: &Parameters, workers: usize) {
        let share = 1.0 / workers.max(1) as f32;
        self.gathered.add_scaled(way, 1.0);
        self.count += 1;
        weights.add_scaled(way, self.learning_rate * share);
        if self.count >= workers {
            self.velocity.scale(self.momentum);
            self.velocity.add_scaled(&self.gathered, 1.0 / self.count as f32);
            weights.add_scaled(&self.velocity, self.learning_rate * self.momentum);
            (self.gathered, self.count) = (Parameters::zeros(way.len()), 0);
        }
    }

    /// What it remembers: the velocity, the sum, and the count of what is summed.
    pub fn state(&self) -> (&Parameters, &Parameters, usize) {
        (&self.velocity, &self.gathered, self.count)
    }

    /// Goes on from what it remembered.
    pub fn restore(&mut self, velocity: Parameters, gathered: Parameters, count: usize) {
        (self.velocity, self.gathered, self.count) = (velocity, gathered, count);
    }
}

/// A way, changed for what has happened to the weights while it was made: the gradient at the weights of now is
/// guessed from that at `base`, with its square for the curvature (DC-ASGD: Zheng et al. 2017, equation 10). `way` is
/// `-rate` times the sum of the gradients, so that `strength` is DC-ASGD's lambda divided by that rate.
pub fn compensate(way: &mut Parameters, base: &Parameters, now: &Parameters, strength: f32) {
    let moved = now.since(base);
    let values = zip(way.values(), moved.values()).map(|(&way, &moved)| way - strength * way * way * moved);
    *way = Parameters::new(values.collect());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_ways_as_workers_without_momentum_are_their_mean() {
        let mut weights = Parameters::zeros(1);
        let mut outer = DelayedNesterov::new(1, 0.0, 1.0);
        for way in [3.0, 6.0, 9.0] {
            outer.apply(&mut weights, &Parameters::new(vec![way]), 3);
        }
        assert_eq!(weights.values(), [6.0]);
    }

    #[test]
    fn momentum_comes_once_for_all_workers_and_survives_a_restart() {
        let one = Parameters::new(vec![1.0]);
        let mut weights = Parameters::zeros(1);
        let mut outer = DelayedNesterov::new(1, 0.5, 1.0);
        outer.apply(&mut weights, &one, 2);
        assert_eq!(weights.values(), [0.5]);
        let (velocity, gathered, count) = outer.state();
        let mut again = DelayedNesterov::new(1, 0.5, 1.0);
        again.restore(velocity.clone(), gathered.clone(), count);
        again.apply(&mut weights, &one, 2);
        // Half of the second way, and half of the velocity of 1.
        assert_eq!(weights.values(), [1.5]);
        again.apply(&mut weights, &one, 2);
        again.apply(&mut weights, &one, 2);
        // A whole way, and half of the velocity of 0.5 + 1.
        assert_eq!(weights.values(), [3.25]);
    }

    #[test]
    fn a_way_is_changed_only_as_far_as_others_have_moved() {
        let base = Parameters::new(vec![1.0, 1.0]);
        let mut way = Parameters::new(vec![-2.0, -2.0]);
        compensate(&mut way, &base, &Parameters::new(vec![1.0, 0.5]), 0.5);
        // The weight has gone down already, so that the slope is less steep: -2 - 0.5 * 4 * -0.5.
        assert_eq!(way.values(), [-2.0, -1.0]);
    }
}
