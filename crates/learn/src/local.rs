//! Some steps on features that stay where they are: what one of several workers does between two averages.
//!
//! Plain stochastic gradient descent with momentum, which begins anew with each call: the weights come from outside
//! each time, and a velocity that was gathered on the way to others would push them astray.

use std::iter::zip;
use std::ops::ControlFlow;

use headwater_types::{ClassId, Permutation, Seed};
use ndarray::{Array2, Axis, Slice};

use crate::error::LearnError;
use crate::features::FeatureSet;
use crate::head::Head;
use crate::network::{Linear, Network};
use crate::parameters::Parameters;
use crate::random::{Generator, Purpose};
use crate::softmax::loss_and_gradient;

/// How a worker steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LocalOptions {
    /// The learning rate of each step.
    pub learning_rate: f32,
    /// How much of the last step's velocity the next one keeps, 0 to below 1.
    pub momentum: f32,
    /// Features of one step; fewer where the worker has no more.
    pub batch_size: usize,
    /// The seed of the samples' order.
    pub seed: Seed,
}

/// A worker's features, ready to be trained on.
pub struct LocalTrainer {
    /// Standardised.
    rows: Array2<f32>,
    labels: Vec<ClassId>,
    head: Head,
    options: LocalOptions,
    gradients: Network,
    velocity: Network,
    /// What is added to the gradient of each step.
    correction: Option<Network>,
    /// The pass whose order is at hand.
    order: Option<(u64, Permutation)>,
    /// The way of the last call, for one that begins where it led.
    last: Option<Parameters>,
}

/// What came of some steps.
#[derive(Clone, Debug, PartialEq)]
pub struct LocalUpdate {
    /// The weights after them.
    pub weights: Parameters,
    /// Steps that were done.
    pub steps: u32,
    /// Features that were trained on, each as often as it came.
    pub samples: u64,
    /// Mean loss of these, each taken before its step, in nats.
    pub loss: f64,
}

// === impl LocalOptions ===

impl LocalOptions {
    /// Whether every setting is in its range.
    ///
    /// # Errors
    /// [`LearnError::Setting`] for the first that is not.
    pub fn check(&self) -> Result<(), LearnError> {
        let positive = self.learning_rate.is_finite() && self.learning_rate > 0.0;
        let settings = [
            ("local learning rate", f64::from(self.learning_rate), positive, "a positive number"),
            ("momentum", self.momentum.into(), (0.0..1.0).contains(&self.momentum), "0 to below 1"),
            ("batch size", self.batch_size as f64, self.batch_size > 0, "at least 1"),
        ];
        match settings.into_iter().find(|(_, _, is_good, _)| !is_good) {
            Some((setting, value, _, expected)) => Err(LearnError::Setting { setting, value, expected }),
            None => Ok(()),
        }
    }
}

// === impl LocalTrainer ===

impl LocalTrainer {
    /// Takes the features, which become standardised as `head` does it.
    ///
    /// # Errors
    /// A setting out of its range, features that are not of the head's kind, or none at all.
    pub fn new(mut head: Head, features: FeatureSet, options: LocalOptions) -> Result<Self, LearnError> {
        options.check()?;
        head.check(&features)?;
        if features.is_empty() {
            return Err(LearnError::NoSamples);
        }
        let (mut rows, labels) = features.into_parts();
        let standardization = head.standardization().clone();
        for mut row in rows.rows_mut() {
            standardization.apply_in_place(&mut row);
        }
        let gradients = head.network().zeros_like();
        let velocity = gradients.clone();
        head.network_mut();
        Ok(Self { rows, labels, head, options, gradients, velocity, correction: None, order: None, last: None })
    }

    /// How many features there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none: never so.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Steps of one pass over the features.
    pub fn steps_per_pass(&self) -> u64 {
        self.len().div_ceil(self.batch_size()) as u64
    }

    /// Takes `steps` steps from these weights. The batches are those of the worker's steps from `first` on, counted
    /// over all its calls: so whoever has lost the worker's state can have the same steps again. After each step
    /// `progress` hears how many are done, and may ask for a stop: what is done by then counts.
    ///
    /// # Errors
    /// Weights of another head, and weights or a loss that are no numbers any more.
    pub fn train(
        &mut self,
        weights: &Parameters,
        first: u64,
        steps: u32,
        progress: &mut dyn FnMut(u32) -> ControlFlow<()>,
    ) -> Result<LocalUpdate, LearnError> {
        self.head.set_parameters(weights)?;
        self.velocity.layers.iter_mut().for_each(Linear::clear);
        let mut rows = Array2::zeros((self.batch_size(), self.rows.ncols()));
        let (mut done, mut samples, mut loss_sum) = (0, 0_u64, 0.0);
        while done < steps {
            let batch = self.batch(first + u64::from(done));
            loss_sum += self.step(&batch, &mut rows) * batch.len() as f64;
            samples += batch.len() as u64;
            done += 1;
            if progress(done).is_break() {
                break;
            }
        }
        let (weights, loss) = (self.head.parameters(), loss_sum / samples.max(1) as f64);
        match loss.is_finite() && weights.is_finite() {
            true => Ok(LocalUpdate { weights, steps: done, samples, loss }),
            false => Err(LearnError::LocalDiverged { learning_rate: self.options.learning_rate }),
        }
    }

    /// Adds this to the gradient of each step from now on ([`crate::Corrections`]), or nothing.
    ///
    /// # Errors
    /// [`LearnError::Parameters`] where it has not as many numbers as the head has weights.
    pub fn correct(&mut self, correction: Option<&Parameters>) -> Result<(), LearnError> {
        let expected = self.head.parameter_count();
        if let Some(actual) = correction.map(Parameters::len).filter(|actual| *actual != expected) {
            return Err(LearnError::Parameters { expected, actual });
        }
        self.correction = correction.map(|correction| {
            let mut network = self.gradients.zeros_like();
            network.set(correction);
            network
        });
        Ok(())
    }

    /// As [`Self::train`], and the way from the weights of the first step to those after the last. `onward` begins
    /// where the last such call led, seen from these weights.
    ///
    /// # Errors
    /// Those of [`Self::train`].
    pub fn lead(
        &mut self,
        mut from: Parameters,
        (first, steps, onward): (u64, u32, bool),
        progress: &mut dyn FnMut(u32) -> ControlFlow<()>,
    ) -> Result<(Parameters, LocalUpdate), LearnError> {
        if let Some(last) = self.last.take().filter(|last| onward && last.len() == from.len()) {
            from.add_scaled(&last, 1.0);
        }
        let update = self.train(&from, first, steps, progress)?;
        let way = update.weights.since(&from);
        self.last = Some(way.clone());
        Ok((way, update))
    }

    fn batch_size(&self) -> usize {
        self.options.batch_size.min(self.len())
    }

    /// The features of the step of this number. Each pass has an order of its own.
    fn batch(&mut self, step: u64) -> Vec<usize> {
        let (size, count, per_pass) = (self.batch_size(), self.len(), self.steps_per_pass());
        let (pass, within) = (step / per_pass, (step % per_pass) as usize * size);
        if self.order.as_ref().is_none_or(|(of, _)| *of != pass) {
            let order = Generator::permutation(Purpose::LocalBatches, self.options.seed, pass, count as u64);
            self.order = Some((pass, order));
        }
        let Some((_, order)) = &self.order else { return Vec::new() };
        (within..count.min(within + size))
            .filter_map(|position| order.at(position as u64))
            .map(|index| index as usize)
            .collect()
    }

    /// One step; its batch's mean loss before it.
    fn step(&mut self, batch: &[usize], rows: &mut Array2<f32>) -> f64 {
        let mut rows = rows.slice_axis_mut(Axis(0), Slice::from(..batch.len()));
        for (mut row, &index) in zip(rows.rows_mut(), batch) {
            row.assign(&self.rows.row(index));
        }
        let labels: Vec<_> = batch.iter().map(|&index| self.labels[index]).collect();
        let mut outputs = self.head.network().outputs(&rows);
        let Some(mut logits) = outputs.pop() else { return f64::NAN };
        let loss = loss_and_gradient(&mut logits, &labels, 0.0);
        self.head.network().backward(&rows, &outputs, logits, &mut self.gradients);
        if let Some(correction) = &self.correction {
            zip(&mut self.gradients.layers, &correction.layers)
                .for_each(|(gradient, correction)| gradient.add_scaled(1.0, correction));
        }
        let (rate, momentum) = (self.options.learning_rate, self.options.momentum);
        let network = self.head.network_mut();
        for ((layer, velocity), gradient) in
            zip(zip(&mut network.layers, &mut self.velocity.layers), &self.gradients.layers)
        {
            velocity.decay_and_add(momentum, gradient);
            layer.add_scaled(-rate, velocity);
        }
        loss
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::HeadKind;
    use crate::moments::Moments;

    const OPTIONS: LocalOptions = LocalOptions { learning_rate: 0.1, momentum: 0.0, batch_size: 8, seed: Seed(3) };

    /// Two clouds, one for each class.
    fn set(samples: usize) -> FeatureSet {
        let mut generator = Generator::new(Purpose::Weights, Seed(7), 0);
        let mut set = FeatureSet::new(3, 2);
        for sample in 0..samples {
            let class = sample % 2;
            let feature = [0, 1, 2].map(|_| (3.0 * class as f64 + generator.normal()) as f32);
            set.push(&feature, ClassId(class as u32)).unwrap();
        }
        set
    }

    fn trainer(options: LocalOptions) -> LocalTrainer {
        let features = set(30);
        let mut moments = Moments::new(3);
        features.view().rows().into_iter().for_each(|row| moments.add(row.as_slice().unwrap()));
        let mut head = Head::new(HeadKind::Softmax, 3, 2, Seed(1)).unwrap();
        head.standardize(&moments).unwrap();
        LocalTrainer::new(head, features, options).unwrap()
    }

    fn on(_: u32) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    #[test]
    fn steps_in_two_calls_are_the_steps_of_one_and_need_no_state() {
        let zeros = Parameters::zeros(8);
        let whole = trainer(OPTIONS).train(&zeros, 0, 10, &mut on).unwrap();
        let half = trainer(OPTIONS).train(&zeros, 0, 6, &mut on).unwrap();
        // Another worker that has never seen the first six.
        let rest = trainer(OPTIONS).train(&half.weights, 6, 4, &mut on).unwrap();
        assert_eq!(rest.weights, whole.weights);
        // 30 features are three batches of 8 and one of 6.
        assert_eq!((whole.samples, half.samples, rest.samples), (76, 46, 30));
    }

    #[test]
    fn onward_is_from_where_the_last_call_led() {
        let zeros = || Parameters::zeros(8);
        let mut leading = trainer(OPTIONS);
        let (first, _) = leading.lead(zeros(), (0, 3, false), &mut on).unwrap();
        let (second, update) = leading.lead(zeros(), (3, 4, true), &mut on).unwrap();
        assert_eq!(update.weights, trainer(OPTIONS).train(&zeros(), 0, 7, &mut on).unwrap().weights);
        assert_eq!(second, update.weights.since(&first));
        let (anew, _) = leading.lead(zeros(), (0, 3, false), &mut on).unwrap();
        assert_eq!(anew, first);
    }

    #[test]
    fn every_feature_comes_once_in_each_pass() {
        let mut trainer = trainer(OPTIONS);
        for pass in 0..3 {
            let mut seen: Vec<usize> = (0..4).flat_map(|step| trainer.batch(4 * pass + step)).collect();
            seen.sort_unstable();
            assert_eq!(seen, (0..30).collect::<Vec<_>>());
        }
        assert_ne!(trainer.batch(0), trainer.batch(4));
    }

    #[test]
    fn a_step_is_minus_the_rate_times_the_gradient_and_momentum_adds_up() {
        let zeros = Parameters::zeros(8);
        let batch = LocalOptions { batch_size: 30, ..OPTIONS };
        let one = trainer(batch).train(&zeros, 0, 1, &mut on).unwrap().weights;
        // At zero each class has half: the gradient of a bias is the mean of 1/2 - target, which is 0 here.
        assert!(one.values()[6].abs() < 1e-6 && one.norm() > 0.05, "{one:?}");
        let faster = LocalOptions { learning_rate: 0.2, ..batch };
        let twice = trainer(faster).train(&zeros, 0, 1, &mut on).unwrap().weights;
        zip(twice.values(), one.values()).for_each(|(twice, one)| assert!((twice - 2.0 * one).abs() < 1e-6));
        // Two steps with momentum: one + (gradient at one + 0.5 * first gradient) * -rate.
        let heavy = trainer(LocalOptions { momentum: 0.5, ..batch }).train(&zeros, 0, 2, &mut on).unwrap().weights;
        let plain = trainer(batch).train(&one, 1, 1, &mut on).unwrap().weights;
        for ((heavy, plain), one) in zip(zip(heavy.values(), plain.values()), one.values()) {
            assert!((heavy - (plain + 0.5 * one)).abs() < 1e-6);
        }
    }

    #[test]
    fn a_correction_is_added_to_the_gradient_of_each_step() {
        let zeros = Parameters::zeros(8);
        let plain = trainer(OPTIONS).train(&zeros, 0, 1, &mut on).unwrap().weights;
        let mut corrected = trainer(OPTIONS);
        corrected.correct(Some(&Parameters::new(vec![2.0; 8]))).unwrap();
        let moved = corrected.train(&zeros, 0, 1, &mut on).unwrap().weights;
        zip(moved.values(), plain.values()).for_each(|(moved, plain)| assert!((moved - (plain - 0.2)).abs() < 1e-6));
        corrected.correct(None).unwrap();
        assert_eq!(corrected.train(&zeros, 0, 1, &mut on).unwrap().weights, plain);
        let short = corrected.correct(Some(&Parameters::zeros(7)));
        assert_eq!(short, Err(LearnError::Parameters { expected: 8, actual: 7 }));
    }

    #[test]
    fn a_stop_keeps_what_is_done_and_what_diverges_is_an_error() {
        let zeros = Parameters::zeros(8);
        let mut at_three = |done| if done == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        let stopped = trainer(OPTIONS).train(&zeros, 0, 10, &mut at_three).unwrap();
        assert_eq!(stopped, trainer(OPTIONS).train(&zeros, 0, 3, &mut on).unwrap());
        let wild = LocalOptions { learning_rate: f32::MAX, momentum: 0.9, ..OPTIONS };
        let diverged = trainer(wild).train(&zeros, 0, 10, &mut on);
        assert_eq!(diverged, Err(LearnError::LocalDiverged { learning_rate: f32::MAX }));
        let set = set(0);
        let none = LocalTrainer::new(Head::new(HeadKind::Softmax, 3, 2, Seed(1)).unwrap(), set, OPTIONS);
        assert!(matches!(none, Err(LearnError::NoSamples)));
    }
}
