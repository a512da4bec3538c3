//! A worker: its own session, its own batch buffer, one batch after the other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use headwater_image::{Scratch, finish_into};
use headwater_types::{Draws, Epoch, ImageLimits, Recipe, SampleKey, Seed};

use crate::job::{Extracted, Job, Outcome, inference_failure};
use crate::queue::Exit;
use crate::session::Session;

/// What workers have done, all together.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) samples: AtomicU64,
    pub(crate) batches: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) cancelled: AtomicU64,
    pub(crate) non_finite: AtomicU64,
}

pub(crate) struct Worker {
    session: Session,
    exit: Exit,
    recipe: Arc<Recipe>,
    counters: Arc<Counters>,
    /// Rows of finished tensors, f32 `[max_batch, 3, h, w]`: written by [`finish_into`], read by the session.
    rows: Vec<f32>,
    scratch: Scratch,
    /// [`finish_into`] wants an address to draw from. Nothing is: flipped pixels have had all their randomness.
    key: SampleKey,
}

// === impl Worker ===

impl Worker {
    pub(crate) fn new(
        session: Session,
        exit: Exit,
        recipe: Arc<Recipe>,
        counters: Arc<Counters>,
        max_batch: usize,
        key: SampleKey,
    ) -> Self {
        let rows = vec![0.0; session.row() * max_batch];
        Self { session, exit, recipe, counters, rows, scratch: Scratch::default(), key }
    }

    /// Works until there will be no more samples.
    pub(crate) fn work(mut self) {
        let mut batch = Vec::new();
        let mut cancelled = 0;
        while self.exit.take(&mut batch, &mut cancelled) {
            add(&self.counters.cancelled, std::mem::take(&mut cancelled));
            let (jobs, samples) = (std::mem::take(&mut batch), batch.len());
            // Jobs that are dropped in a panic tell those who wait for them; the worker goes on.
            if catch_unwind(AssertUnwindSafe(|| self.batch(jobs))).is_err() {
                add(&self.counters.failed, samples as u64);
                tracing::error!(samples, "an inference worker panicked: please report it");
            }
        }
        add(&self.counters.cancelled, cancelled);
    }

    fn batch(&mut self, jobs: Vec<Job>) {
        let taken = Instant::now();
        let jobs = self.write_rows(jobs);
        match self.infer(0, &jobs, taken) {
            Ok(extracted) => {
                jobs.into_iter().zip(extracted).for_each(|(job, extracted)| self.answer(job, Ok(extracted)));
            }
            Err(reason) if jobs.len() > 1 => {
                tracing::warn!(samples = jobs.len(), %reason, "a batch could not be run: its samples are run one by one");
                for (row, job) in jobs.into_iter().enumerate() {
                    let outcome = self.infer(row, std::slice::from_ref(&job), taken);
                    let only = outcome.and_then(|mut extracted| extracted.pop().ok_or_else(|| "no output".to_owned()));
                    self.answer(job, only.map_err(inference_failure));
                }
            }
            Err(reason) => jobs.into_iter().for_each(|job| self.answer(job, Err(inference_failure(&reason)))),
        }
    }

    /// Finishes each sample into its row; those that cannot be are answered here, and leave no gap.
    fn write_rows(&mut self, jobs: Vec<Job>) -> Vec<Job> {
        let (row, limits) = (self.session.row(), ImageLimits::default());
        let mut ready = Vec::with_capacity(jobs.len());
        for job in jobs {
            let draws = Draws { seed: Seed(0), epoch: Epoch(0), key: &self.key };
            let out = &mut self.rows[ready.len() * row..][..row];
            match finish_into(&self.recipe, &job.payload, &draws, &limits, &mut self.scratch, out) {
                Ok(()) => ready.push(job),
                Err(error) => self.answer(job, Err(error.into())),
            }
        }
        ready
    }

    /// Runs the rows of these jobs, which begin with row `first`.
    fn infer(&mut self, first: usize, jobs: &[Job], taken: Instant) -> Result<Vec<Extracted>, String> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let row = self.session.row();
        let rows = &self.rows[first * row..][..jobs.len() * row];
        let mut extracted = Vec::with_capacity(jobs.len());
        let started = Instant::now();
        self.session.run(rows, |index, features| {
            let queued = taken.duration_since(jobs[index].since);
            extracted.push(Extracted {
                features: features.to_vec(),
                queued,
                infer: started.elapsed(),
                batch: jobs.len(),
            });
        })?;
        add(&self.counters.batches, 1);
        Ok(extracted)
    }

    fn answer(&self, job: Job, outcome: Outcome) {
        match &outcome {
            Ok(extracted) => {
                add(&self.counters.samples, 1);
                add(&self.counters.non_finite, u64::from(!extracted.features.iter().all(|value| value.is_finite())));
            }
            Err(_) => add(&self.counters.failed, 1),
        }
        // Nobody may be waiting any more: then it was worth nothing, and harmed nothing.
        let _ = job.answer.send(outcome);
    }
}

fn add(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}
