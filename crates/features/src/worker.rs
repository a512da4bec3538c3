//! A worker: its own session, its own batch buffer, one batch after the other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_image::{CpuMeter, Scratch, finish_into};
use headwater_types::failure::check_finite;
use headwater_types::{CpuSeconds, Draws, Recipe};

use crate::counts::{Counters, add};
use crate::job::{Extracted, InferenceJob, Outcome, Unfinished, inference_failure};
use crate::queue::Exit;
use crate::rows::Rows;
use crate::session::Session;

pub(crate) struct Worker {
    exit: Exit,
    recipe: Arc<Recipe>,
    counters: Arc<Counters>,
    /// Rows of finished tensors, f32 `[max_batch, 3, h, w]`: written by [`finish_into`], read by the session.
    rows: Rows,
    /// After the rows, which may lie in memory that it has given.
    session: Session,
    scratch: Scratch,
}

/// A sample in its row, and the time that it took to get there.
struct Ready {
    job: InferenceJob,
    decode: Duration,
    transform: Duration,
    cpu: Option<CpuSeconds>,
}

// === impl Worker ===

impl Worker {
    pub(crate) fn new(session: Session, exit: Exit, recipe: Arc<Recipe>, counters: Arc<Counters>, rows: Rows) -> Self {
        Self { exit, recipe, counters, rows, session, scratch: Scratch::default() }
    }

    /// Works until there will be no more samples.
    pub(crate) fn work(mut self) {
        let mut batch = Vec::new();
        let mut cancelled = 0;
        while self.exit.take(&mut batch, &mut cancelled) {
            add(&self.counters.cancelled, std::mem::take(&mut cancelled));
            let (jobs, samples) = (std::mem::take(&mut batch), batch.len());
            // A job that is dropped in a panic fails its caller, and the worker goes on.
            if catch_unwind(AssertUnwindSafe(|| self.batch(jobs))).is_err() {
                add(&self.counters.failed, samples as u64);
                tracing::error!(samples, "an inference worker panicked: please report it");
            }
        }
        add(&self.counters.cancelled, cancelled);
    }

    fn batch(&mut self, jobs: Vec<InferenceJob>) {
        let taken = Instant::now();
        let ready = self.write_rows(jobs);
        match self.infer(0, &ready, taken) {
            Ok(extracted) => {
                ready.into_iter().zip(extracted).for_each(|(ready, extracted)| self.answer(ready.job, Ok(extracted)));
            }
            Err(reason) if ready.len() > 1 => {
                let samples = ready.len();
                tracing::warn!(samples, %reason, "a batch could not be run: its samples are run one by one");
                for (row, ready) in ready.into_iter().enumerate() {
                    let outcome = self.infer(row, std::slice::from_ref(&ready), taken);
                    let only = outcome.and_then(|mut extracted| extracted.pop().ok_or_else(|| "no output".to_owned()));
                    self.answer(ready.job, only.map_err(inference_failure));
                }
            }
            Err(reason) => ready.into_iter().for_each(|ready| self.answer(ready.job, Err(inference_failure(&reason)))),
        }
    }

    /// Finishes each sample into its row. Samples that cannot be finished are answered here, and leave no gap.
    fn write_rows(&mut self, jobs: Vec<InferenceJob>) -> Vec<Ready> {
        self.rows.begin(jobs.len());
        let mut all_ready = Vec::with_capacity(jobs.len());
        for job in jobs {
            let Unfinished { payload, address, key, limits, measure_cpu, allow_non_finite: _ } = &job.sample;
            let draws = Draws { address: *address, key };
            let out = self.rows.row_mut(all_ready.len());
            self.scratch.take_decode_time();
            let (started, meter) = (Instant::now(), CpuMeter::start(*measure_cpu));
            match finish_into(&self.recipe, payload, &draws, limits, &mut self.scratch, out) {
                Ok(()) => {
                    let decode = self.scratch.take_decode_time();
                    let transform = started.elapsed().saturating_sub(decode);
                    all_ready.push(Ready { job, decode, transform, cpu: meter.read() });
                }
                Err(error) => self.answer(job, Err(error.into())),
            }
        }
        all_ready
    }

    /// Runs the rows of these samples, which begin with row `first`.
    fn infer(&mut self, first: usize, ready: &[Ready], taken: Instant) -> Result<Vec<Extracted>, String> {
        if ready.is_empty() {
            return Ok(Vec::new());
        }
        let mut extracted = Vec::with_capacity(ready.len());
        let (started, meter) = (Instant::now(), CpuMeter::start(ready.iter().any(|ready| ready.cpu.is_some())));
        self.session.run(&self.rows, (first, ready.len()), |index, features| {
            let Ready { job, decode, transform, cpu } = &ready[index];
            extracted.push(Extracted {
                features: features.to_vec(),
                queued: taken.duration_since(job.since),
                decode: *decode,
                transform: *transform,
                infer: started.elapsed(),
                batch: ready.len(),
                cpu: *cpu,
            });
        })?;
        self.counters.run(ready.len());
        // The meter is this thread's. The session's other threads take as much time each.
        if let Some(CpuSeconds(run)) = meter.read() {
            let share = run * self.session.threads() as f64 / ready.len() as f64;
            extracted.iter_mut().filter_map(|one| one.cpu.as_mut()).for_each(|cpu| cpu.0 += share);
        }
        Ok(extracted)
    }

    fn answer(&self, job: InferenceJob, outcome: Outcome) {
        let outcome = outcome.and_then(|extracted| match check_finite(&extracted.features) {
            Ok(()) => Ok(extracted),
            Err(failure) => {
                add(&self.counters.non_finite, 1);
                if job.sample.allow_non_finite { Ok(extracted) } else { Err(failure) }
            }
        });
        add(if outcome.is_ok() { &self.counters.samples } else { &self.counters.failed }, 1);
        // The caller may have gone; its answer is dropped then.
        let _ = job.answer.send(outcome);
    }
}
