//! A head that learns run after run. Pure computing: it belongs on a thread of its own.

use std::ops::ControlFlow;

use headwater_cli::{Bar, Failures};
use headwater_learn::{FeatureSet, Head, HeadKind, LearnError, Metrics, Replay, TrainOptions, Trainer, Verdict};
use headwater_types::{ByteCount, Seed};

use super::FineTuneError;
use super::clock::Span;
use super::gathered::Gathered;
use headwater_tables::features::FeatureProvenance;

/// How a head learns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LearnOptions {
    pub(crate) head: HeadKind,
    pub(crate) train: TrainOptions,
    /// Bound on the features of all runs that are kept for training.
    pub(crate) memory: ByteCount,
}

/// A head, what it has seen, and what it is judged by.
pub(crate) struct Learner {
    options: LearnOptions,
    head: Head,
    replay: Replay,
    validation: FeatureSet,
    counts: Counts,
    /// Runs after which the head was as before.
    unimproved: u32,
}

/// What has been seen, over all runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) images: u64,
    pub(crate) trained: u64,
    pub(crate) validated: u64,
    pub(crate) unlabelled: u64,
    pub(crate) failures: Failures,
}

/// What one run did.
#[derive(Clone, Debug)]
pub(crate) struct Learned {
    pub(crate) images: u64,
    pub(crate) extraction: Span,
    pub(crate) training: Span,
    pub(crate) epochs: u32,
    /// Of the head that was kept, on all validation samples so far.
    pub(crate) validation: Option<Metrics>,
}

/// The end of it.
#[derive(Clone, Debug)]
pub(crate) struct Graduate {
    pub(crate) head: Head,
    /// On the features that were kept for training.
    pub(crate) train: Option<Metrics>,
    pub(crate) validation: Option<Metrics>,
    pub(crate) counts: Counts,
}

// === impl Learner ===

impl Learner {
    pub(crate) fn new(provenance: &FeatureProvenance, options: LearnOptions) -> Result<Self, LearnError> {
        let (dim, classes) = (provenance.feature_len, provenance.classes.len());
        options.train.check()?;
        Ok(Self {
            head: Head::new(options.head, dim, classes, options.train.seed)?,
            replay: Replay::new(dim, classes, options.memory, options.train.seed)?,
            validation: FeatureSet::new(dim, classes),
            counts: Counts::default(),
            unimproved: 0,
            options,
        })
    }

    /// Takes in a run and trains on everything so far; the head that did best on the validation samples is kept, which
    /// may be the one from before.
    pub(crate) fn learn(
        &mut self,
        run: Gathered,
        bar: &Bar,
        stop: &dyn Fn() -> bool,
    ) -> Result<Learned, FineTuneError> {
        let mut training = Span::begin();
        let images = run.images();
        self.counts.add(&run);
        self.replay.absorb(&run.train)?;
        // Not needed twice: the memory is wanted for training.
        drop(run.train);
        for (feature, label) in run.validation {
            self.validation.push(&feature, label)?;
        }
        let epochs = if self.replay.set().is_empty() { 0 } else { self.train(bar, stop)? };
        let validation = self.head.evaluate(&self.validation)?;
        training.end();
        Ok(Learned { images, extraction: run.span, training, epochs, validation })
    }

    /// Judges the head.
    pub(crate) fn finish(self) -> Result<Graduate, FineTuneError> {
        if self.replay.seen() == 0 {
            let Counts { images, validated, unlabelled, failures, .. } = self.counts;
            let failed = failures.count();
            return Err(FineTuneError::NothingToTrainOn { images, validated, unlabelled, failed });
        }
        if self.unimproved > 0 {
            let runs = self.unimproved;
            tracing::warn!(
                runs,
                "runs of which no epoch did better on the validation samples: the head stayed as it was"
            );
        }
        Ok(Graduate {
            train: self.head.evaluate(self.replay.set())?,
            validation: self.head.evaluate(&self.validation)?,
            head: self.head,
            counts: self.counts,
        })
    }

    /// Gives the number of epochs.
    fn train(&mut self, bar: &Bar, stop: &dyn Fn() -> bool) -> Result<u32, FineTuneError> {
        // Another order of the samples in every run.
        let seed = Seed(self.options.train.seed.0.wrapping_add(self.replay.seen()));
        let options = TrainOptions { seed, ..self.options.train };
        let mut trainer = Trainer::new(self.head.clone(), self.replay.moments(), &self.validation, options)?;
        let mut improved = self.validation.is_empty();
        loop {
            let report = trainer.epoch(self.replay.set(), &self.validation, &mut |_step| {
                if stop() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
            bar.add(1);
            improved |= report.is_best;
            if let Some(validation) = &report.validation {
                bar.note(format!("validation top-1 {:.4}, loss {:.4}", validation.top1, validation.loss));
            }
            tracing::debug!(epoch = report.epoch, loss = report.train_loss, best = report.is_best, "epoch");
            match report.verdict {
                Verdict::Continue => {}
                Verdict::Interrupted => return Err(FineTuneError::Stopped),
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

// === impl Counts ===

impl Counts {
    fn add(&mut self, run: &Gathered) {
        self.images += run.images();
        self.trained += run.train.seen();
        self.validated += run.validation.len() as u64;
        self.unlabelled += run.unlabelled;
        self.failures.merge(&run.failures);
    }
}
