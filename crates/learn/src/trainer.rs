//! Training of a head, an epoch at a time.

use std::ops::ControlFlow;

use ndarray::{Array2, Axis, Slice};

use crate::adamw::AdamW;
use crate::error::LearnError;
use crate::features::FeatureSet;
use crate::head::Head;
use crate::metrics::Metrics;
use crate::moments::Moments;
use crate::network::Network;
use crate::options::TrainOptions;
use crate::random::{Generator, Purpose};
use crate::schedule::learning_rate_share;
use crate::softmax::loss_and_gradient;

/// One training of a head, from its first epoch to its last.
pub struct Trainer {
    options: TrainOptions,
    head: Head,
    optimizer: AdamW,
    gradients: Network,
    epochs_done: u32,
    best: Option<Best>,
}

/// The head that did best on the validation set.
struct Best {
    head: Head,
    loss: f64,
    /// The number of epochs that had been done then.
    epochs_done: u32,
}

/// The result of one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepReport {
    /// The epoch, from 0.
    pub epoch: u32,
    /// Steps of this epoch that are done.
    pub done: usize,
    /// Steps of this epoch in all.
    pub total: usize,
    /// Mean loss of the step's samples before it, in nats.
    pub loss: f64,
}

/// The result of one epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochReport {
    /// The epoch, from 0.
    pub epoch: u32,
    /// Mean loss of the training samples, each taken before its step, in nats.
    pub train_loss: f64,
    /// The head's result on the validation set after the epoch; `None` where that set is empty.
    pub validation: Option<Metrics>,
    /// Whether no epoch before did better on the validation set.
    pub is_best: bool,
    /// Whether to go on.
    pub verdict: Verdict,
}

/// Whether a training goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There are epochs left.
    Continue,
    /// The schedule is at its end.
    Finished,
    /// The validation loss has not improved for as long as patience lasts.
    Stalled,
    /// The caller asked for a stop within the epoch.
    Interrupted,
}

// === impl Trainer ===

impl Trainer {
    /// Makes a training that begins where `head` stands: a new head, or the last run's. Features are standardised by
    /// `moments` (those of the training set, or of all that it was drawn from); the head's function does not change by
    /// that.
    ///
    /// `validation` tells how well it does before: training that makes it worse is thrown away.
    pub fn new(
        mut head: Head,
        moments: &Moments,
        validation: &FeatureSet,
        options: TrainOptions,
    ) -> Result<Self, LearnError> {
        options.check()?;
        if moments.dim() != head.dim() {
            return Err(LearnError::Dimension { expected: head.dim(), actual: moments.dim() });
        }
        head.restandardize(moments);
        let before = head.evaluate(validation)?;
        let best = before.map(|metrics| Best { head: head.clone(), loss: metrics.loss, epochs_done: 0 });
        let optimizer = AdamW::new(head.network());
        let gradients = head.network().zeros_like();
        Ok(Self { options, head, optimizer, gradients, epochs_done: 0, best })
    }

    /// Passes once over `train`, in a new order, and looks at `validation`. After each step `progress` is told and may
    /// ask for a stop.
    pub fn epoch(
        &mut self,
        train: &FeatureSet,
        validation: &FeatureSet,
        progress: &mut dyn FnMut(StepReport) -> ControlFlow<()>,
    ) -> Result<EpochReport, LearnError> {
        self.head.check(train)?;
        if train.is_empty() {
            return Err(LearnError::NoSamples);
        }
        let epoch = self.epochs_done;
        let (train_loss, flow) = self.pass(train, progress);
        if !train_loss.is_finite() || !self.head.network().is_finite() {
            return Err(LearnError::Diverged { epoch, learning_rate: self.options.learning_rate });
        }
        self.epochs_done += 1;
        let validation = self.head.evaluate(validation)?;
        let is_best = self.keep_if_best(validation.as_ref());
        let verdict = match flow {
            ControlFlow::Break(()) => Verdict::Interrupted,
            ControlFlow::Continue(()) => self.verdict(),
        };
        Ok(EpochReport { epoch, train_loss, validation, is_best, verdict })
    }

    /// Trains until the verdict is not to continue, and gives the last epoch's report.
    pub fn run(
        &mut self,
        train: &FeatureSet,
        validation: &FeatureSet,
        progress: &mut dyn FnMut(StepReport) -> ControlFlow<()>,
    ) -> Result<EpochReport, LearnError> {
        loop {
            let report = self.epoch(train, validation, progress)?;
            if report.verdict != Verdict::Continue {
                return Ok(report);
            }
        }
    }

    /// The head that did best on the validation set; without one, the head as it stands.
    pub fn finish(self) -> Head {
        self.best.map_or(self.head, |best| best.head)
    }

    /// The mean loss, and whether to stop.
    fn pass(
        &mut self,
        train: &FeatureSet,
        progress: &mut dyn FnMut(StepReport) -> ControlFlow<()>,
    ) -> (f64, ControlFlow<()>) {
        let epoch = self.epochs_done;
        let order = Generator::permutation(Purpose::Batches, self.options.seed, epoch.into(), train.len() as u64);
        let order: Vec<usize> = order.iter().map(|position| position as usize).collect();
        let size = self.options.batch_size_for(train.len());
        let total = order.len().div_ceil(size);
        let mut rows = Array2::zeros((size, train.dim()));
        let (mut loss_sum, mut samples) = (0.0, 0);
        for (step, batch) in order.chunks(size).enumerate() {
            let mut rows = rows.slice_axis_mut(Axis(0), Slice::from(..batch.len()));
            for (mut row, &index) in rows.rows_mut().into_iter().zip(batch) {
                self.head.standardization().apply(&train.row(index), &mut row);
            }
            let labels: Vec<_> = batch.iter().map(|&index| train.labels()[index]).collect();
            let mut outputs = self.head.network().outputs(&rows);
            let Some(mut logits) = outputs.pop() else { continue };
            let loss = loss_and_gradient(&mut logits, &labels, self.options.label_smoothing);
            self.head.network().backward(&rows, &outputs, logits, &mut self.gradients);
            let at = (f64::from(epoch) + (step as f64 + 0.5) / total as f64) / f64::from(self.options.epochs);
            let share = learning_rate_share(at, self.options.warmup.into());
            let rate = (f64::from(self.options.learning_rate) * share) as f32;
            self.optimizer.step(self.head.network_mut(), &self.gradients, rate, self.options.weight_decay);
            loss_sum += loss * batch.len() as f64;
            samples += batch.len();
            if progress(StepReport { epoch, done: step + 1, total, loss }).is_break() {
                return (loss_sum / samples as f64, ControlFlow::Break(()));
            }
        }
        (loss_sum / samples as f64, ControlFlow::Continue(()))
    }

    fn keep_if_best(&mut self, validation: Option<&Metrics>) -> bool {
        let Some(metrics) = validation else { return false };
        let is_best = self.best.as_ref().is_none_or(|best| metrics.loss < best.loss);
        if is_best {
            self.best = Some(Best { head: self.head.clone(), loss: metrics.loss, epochs_done: self.epochs_done });
        }
        is_best
    }

    fn verdict(&self) -> Verdict {
        let stale = self.best.as_ref().map_or(0, |best| self.epochs_done - best.epochs_done);
        if self.epochs_done >= self.options.epochs {
            Verdict::Finished
        } else if stale >= self.options.patience {
            Verdict::Stalled
        } else {
            Verdict::Continue
        }
    }
}

#[cfg(test)]
mod tests {
    use headwater_types::{ClassId, Seed};

    use super::*;
    use crate::head::HeadKind;

    const DIM: usize = 16;
    const CLASSES: usize = 4;

    /// Gaussian clouds, one for each class, `noise` wide and about 5 apart; and the moments of all.
    fn clouds(samples: usize, noise: f64, seed: u64) -> (FeatureSet, Moments) {
        let mut centres = Generator::new(Purpose::Weights, Seed(99), 0);
        let centres: Vec<Vec<f64>> = (0..CLASSES).map(|_| (0..DIM).map(|_| centres.normal()).collect()).collect();
        let mut generator = Generator::new(Purpose::Weights, Seed(seed), 1);
        let (mut set, mut moments) = (FeatureSet::new(DIM, CLASSES), Moments::new(DIM));
        for sample in 0..samples {
            let centre = &centres[sample % CLASSES];
            let feature: Vec<f32> = centre.iter().map(|c| (10.0 + c + noise * generator.normal()) as f32).collect();
            set.push(&feature, ClassId((sample % CLASSES) as u32)).unwrap();
            moments.add(&feature);
        }
        (set, moments)
    }

    fn head(kind: HeadKind) -> Head {
        Head::new(kind, DIM, CLASSES, Seed(1)).unwrap()
    }

    fn on(_: StepReport) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn empty() -> FeatureSet {
        FeatureSet::new(DIM, CLASSES)
    }

    #[test]
    fn both_kinds_of_head_learn_and_the_seed_decides_every_bit() {
        let (train, moments) = clouds(400, 0.7, 1);
        let (validation, _) = clouds(200, 0.7, 2);
        for kind in [HeadKind::Softmax, HeadKind::Mlp { hidden: 32 }] {
            let trained = |seed| {
                let options = TrainOptions { seed: Seed(seed), ..TrainOptions::default() };
                let mut trainer = Trainer::new(head(kind), &moments, &validation, options).unwrap();
                trainer.run(&train, &validation, &mut on).unwrap();
                trainer.finish()
            };
            let first = trained(1);
            let metrics = first.evaluate(&validation).unwrap().unwrap();
            assert!(metrics.top1 > 0.95, "{kind:?}: {metrics:?}");
            assert_eq!(first, trained(1));
            assert_ne!(first, trained(2));
        }
    }

    #[test]
    fn a_perceptron_learns_what_no_line_can_part() {
        // Exclusive or.
        let mut set = FeatureSet::new(2, 2);
        let mut moments = Moments::new(2);
        for index in 0..64_u32 {
            let (a, b) = (index & 1, index >> 1 & 1);
            let feature = [a as f32, b as f32];
            set.push(&feature, ClassId(a ^ b)).unwrap();
            moments.add(&feature);
        }
        let options = TrainOptions { epochs: 200, learning_rate: 0.02, ..TrainOptions::default() };
        let top1 = |kind| {
            let head = Head::new(kind, 2, 2, Seed(1)).unwrap();
            let mut trainer = Trainer::new(head, &moments, &FeatureSet::new(2, 2), options).unwrap();
            trainer.run(&set, &FeatureSet::new(2, 2), &mut on).unwrap();
            trainer.finish().evaluate(&set).unwrap().unwrap().top1
        };
        assert!(top1(HeadKind::Softmax) <= 0.75);
        assert_eq!(top1(HeadKind::Mlp { hidden: 16 }), 1.0);
    }

    #[test]
    fn the_best_head_on_validation_is_kept_and_patience_ends_a_training_that_overfits() {
        // So much noise and so few samples that the training loss falls while the validation loss rises.
        let (train, moments) = clouds(24, 4.0, 1);
        let (validation, _) = clouds(400, 4.0, 2);
        let options = TrainOptions { epochs: 200, patience: 4, learning_rate: 0.02, ..TrainOptions::default() };
        let mut trainer = Trainer::new(head(HeadKind::Softmax), &moments, &validation, options).unwrap();
        let mut losses = vec![head(HeadKind::Softmax).evaluate(&validation).unwrap().unwrap().loss];
        let verdict = loop {
            let report = trainer.epoch(&train, &validation, &mut on).unwrap();
            let loss = report.validation.unwrap().loss;
            assert_eq!(report.is_best, losses.iter().all(|before| loss < *before));
            losses.push(loss);
            if report.verdict != Verdict::Continue {
                break report.verdict;
            }
        };
        assert_eq!(verdict, Verdict::Stalled);
        let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
        let best = losses.iter().position(|loss| *loss == least).unwrap();
        assert_eq!(best + 4, losses.len() - 1);
        let kept = trainer.finish().evaluate(&validation).unwrap().unwrap().loss;
        assert_eq!(kept, least);
    }

    #[test]
    fn without_validation_the_schedule_is_run_to_its_end() {
        let (train, moments) = clouds(40, 4.0, 1);
        let options = TrainOptions { epochs: 25, patience: 1, ..TrainOptions::default() };
        let mut trainer = Trainer::new(head(HeadKind::Softmax), &moments, &empty(), options).unwrap();
        let report = trainer.run(&train, &empty(), &mut on).unwrap();
        assert_eq!((report.epoch, report.verdict, report.validation), (24, Verdict::Finished, None));
        assert!(trainer.finish().evaluate(&train).unwrap().unwrap().top1 > 0.5);
    }

    #[test]
    fn a_warm_start_never_ends_worse_than_it_began() {
        let (train, moments) = clouds(400, 1.0, 1);
        let (validation, _) = clouds(200, 1.0, 2);
        let options = TrainOptions::default();
        let mut trainer = Trainer::new(head(HeadKind::Softmax), &moments, &validation, options).unwrap();
        trainer.run(&train, &validation, &mut on).unwrap();
        let first = trainer.finish();
        let before = first.evaluate(&validation).unwrap().unwrap().loss;
        // The next run brings nothing but noise, with quite other statistics.
        let (noise, noise_moments) = clouds(16, 40.0, 3);
        let mut trainer = Trainer::new(first, &noise_moments, &validation, options).unwrap();
        trainer.run(&noise, &validation, &mut on).unwrap();
        let after = trainer.finish().evaluate(&validation).unwrap().unwrap().loss;
        assert!(after <= before + 1e-5, "{before} {after}");
    }

    #[test]
    fn a_stop_takes_effect_at_the_next_step() {
        let (train, moments) = clouds(400, 1.0, 1);
        let options = TrainOptions { batch_size: Some(10), ..TrainOptions::default() };
        let mut trainer = Trainer::new(head(HeadKind::Softmax), &moments, &empty(), options).unwrap();
        let mut steps = Vec::new();
        let mut stop_at_seven = |step: StepReport| {
            steps.push((step.epoch, step.done, step.total));
            if step.done == 7 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let report = trainer.run(&train, &empty(), &mut stop_at_seven).unwrap();
        assert_eq!(report.verdict, Verdict::Interrupted);
        assert_eq!(steps, (1..=7).map(|done| (0, done, 40)).collect::<Vec<_>>());
    }

    #[test]
    fn what_cannot_be_trained_on_is_an_error() {
        let (train, moments) = clouds(40, 1.0, 1);
        let options = TrainOptions::default();
        let trainer = || Trainer::new(head(HeadKind::Softmax), &moments, &empty(), options).unwrap();
        assert_eq!(trainer().epoch(&empty(), &empty(), &mut on), Err(LearnError::NoSamples));
        let other = FeatureSet::new(DIM + 1, CLASSES);
        assert!(matches!(trainer().epoch(&other, &empty(), &mut on), Err(LearnError::Dimension { .. })));
        let wild = TrainOptions { learning_rate: 1e38, weight_decay: 0.0, ..options };
        let mut trainer = Trainer::new(head(HeadKind::Mlp { hidden: 8 }), &moments, &empty(), wild).unwrap();
        let diverged = trainer.run(&train, &empty(), &mut on);
        assert!(matches!(diverged, Err(LearnError::Diverged { .. })), "{diverged:?}");
    }
}
