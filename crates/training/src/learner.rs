//! A head that learns run after run. Pure computing: it belongs on a thread of its own.

use std::ops::ControlFlow;

use headwater_cli::Failures;
use headwater_learn::{FeatureSet, Head, LearnError, Metrics, Replay, TrainOptions, Trainer, Verdict};
use headwater_tables::features::FeatureProvenance;
use headwater_types::Seed;

use crate::error::TrainingError;
use crate::gathered::Gathered;
use crate::milestone::{Listener, Milestone};
use crate::options::TrainingOptions;
use crate::span::Span;

/// A head, what it has seen, and what it is judged by.
pub(crate) struct Learner {
    options: TrainingOptions,
    head: Head,
    replay: Replay,
    validation: FeatureSet,
    counts: ImageCounts,
    runs: Vec<TrainedRun>,
    /// Runs after which the head was as before.
    unimproved: u32,
}

/// The samples of all runs; each is counted in exactly one of the last four.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageCounts {
    /// Samples that were tried.
    pub images: u64,
    /// Samples that were trained on.
    pub trained: u64,
    /// Samples that were kept for validation.
    pub validated: u64,
    /// Samples without a label.
    pub unlabelled: u64,
    /// Samples without a feature, and why.
    pub failures: Failures,
}

/// What one run did.
#[derive(Clone, Debug)]
pub struct TrainedRun {
    /// Samples of the run.
    pub images: u64,
    /// When they were extracted.
    pub extraction: Span,
    /// When they were trained on.
    pub training: Span,
    /// Passes over the features so far.
    pub epochs: u32,
    /// Of the head that was kept, on all validation samples so far.
    pub validation: Option<Metrics>,
}

/// A head after its last run.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The head.
    pub head: Head,
    /// The metrics of the head on the features that were kept for training.
    pub train: Option<Metrics>,
    /// The metrics of the head on the samples that were kept from training; `None` where there are none.
    pub validation: Option<Metrics>,
    /// The samples of all runs.
    pub counts: ImageCounts,
    /// What each run did, in their order.
    pub runs: Vec<TrainedRun>,
}

// === impl Learner ===

impl Learner {
    pub(crate) fn new(provenance: &FeatureProvenance, options: TrainingOptions) -> Result<Self, LearnError> {
        let (dim, classes) = (provenance.feature_len, provenance.classes.len());
        options.train.check()?;
        Ok(Self {
            head: Head::new(options.head, dim, classes, options.train.seed)?,
            replay: Replay::new(dim, classes, options.memory, options.train.seed)?,
            validation: FeatureSet::new(dim, classes),
            counts: ImageCounts::default(),
            runs: Vec::new(),
            unimproved: 0,
            options,
        })
    }

    /// Takes in a run and trains on everything so far; the head that did best on the validation samples is kept, which
    /// may be the one from before.
    pub(crate) fn learn(
        &mut self,
        run: Gathered,
        listener: &Listener,
        stop: &dyn Fn() -> bool,
    ) -> Result<(), TrainingError> {
        let mut training = Span::begin();
        let images = run.images();
        self.counts.add(&run);
        self.replay.absorb(&run.train)?;
        // The replay has its own copy, and training needs the memory.
        drop(run.train);
        for (feature, label) in run.validation {
            self.validation.push(&feature, label)?;
        }
        let epochs = if self.replay.set().is_empty() { 0 } else { self.train(listener, stop)? };
        let validation = self.head.evaluate(&self.validation)?;
        training.end();
        self.runs.push(TrainedRun { images, extraction: run.span, training, epochs, validation });
        listener(Milestone::RunsTrained(self.runs.len() as u32));
        Ok(())
    }

    /// Judges the head.
    pub(crate) fn finish(self) -> Result<Trained, TrainingError> {
        if self.replay.seen() == 0 {
            let ImageCounts { images, validated, unlabelled, failures, .. } = self.counts;
            let failed = failures.count();
            return Err(TrainingError::NothingToTrainOn { images, validated, unlabelled, failed });
        }
        if self.unimproved > 0 {
            let runs = self.unimproved;
            tracing::warn!(
                runs,
                "runs of which no epoch did better on the validation samples: the head stayed as it was"
            );
        }
        Ok(Trained {
            train: self.head.evaluate(self.replay.set())?,
            validation: self.head.evaluate(&self.validation)?,
            head: self.head,
            counts: self.counts,
            runs: self.runs,
        })
    }

    /// Gives the number of epochs.
    fn train(&mut self, listener: &Listener, stop: &dyn Fn() -> bool) -> Result<u32, TrainingError> {
        // Another order of the samples in every run.
        let seed = Seed(self.options.train.seed.0.wrapping_add(self.replay.seen()));
        let options = TrainOptions { seed, ..self.options.train };
        let mut trainer = Trainer::new(self.head.clone(), self.replay.moments(), &self.validation, options)?;
        let mut improved = self.validation.is_empty();
        loop {
            let report = trainer.epoch(self.replay.set(), &self.validation, &mut |_step| {
                if stop() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
            improved |= report.is_best;
            listener(Milestone::EpochEnded(report.validation.clone()));
            tracing::debug!(epoch = report.epoch, loss = report.train_loss, best = report.is_best, "epoch");
            match report.verdict {
                Verdict::Continue => {}
                Verdict::Interrupted => return Err(TrainingError::Stopped),
                Verdict::Finished | Verdict::Stalled => {
                    if !improved {
                        self.unimproved += 1;
                    }
                    self.head = trainer.finish();
                    return Ok(report.epoch + 1);
                }
            }
        }
    }
}

// === impl ImageCounts ===

impl ImageCounts {
    fn add(&mut self, run: &Gathered) {
        self.images += run.images();
        self.trained += run.train.seen();
        self.validated += run.validation.len() as u64;
        self.unlabelled += run.unlabelled;
        self.failures.merge(&run.failures);
    }
}
