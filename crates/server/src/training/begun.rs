//! A training that has begun: the steps of its worker.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use headwater_learn::{LearnError, LocalTrainer, Parameters};
use headwater_wire::training::{Announced, Steps, Trained};
use tokio_util::sync::CancellationToken;

use super::pace::Pace;

/// A worker that can take steps.
pub(super) struct Begun {
    pub(super) trainer: LocalTrainer,
    /// By what steps are slowed down.
    pub(super) slowdown: f64,
}

/// Steps that were taken, and the way that they led.
pub(crate) struct Done {
    pub(crate) trained: Trained,
    pub(crate) way: bytes::Bytes,
}

// === impl Begun ===

impl Begun {
    /// Takes steps from these weights, with their correction, until they are done, or `stop` is cancelled. `done`
    /// counts them. Blocks.
    ///
    /// # Errors
    /// Weights of another head, and steps that diverge.
    pub(super) fn train(
        &mut self,
        steps: &Steps,
        (from, correction): (Parameters, Option<Parameters>),
        (queued, done): (Duration, &Arc<AtomicU32>),
        stop: &CancellationToken,
    ) -> Result<Done, LearnError> {
        let (begin, mut pace) = (Instant::now(), Pace::new(self.slowdown));
        let mut progress = |steps| {
            done.store(steps, Ordering::Relaxed);
            pace.step();
            if stop.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        self.trainer.correct(correction.as_ref())?;
        let wanted = (steps.first, steps.steps, steps.onward);
        let (way, update) = self.trainer.lead(from, wanted, &mut progress)?;
        pace.pay();
        let bytes = way.to_bytes();
        let trained = Trained {
            round: steps.round,
            steps: update.steps,
            samples: update.samples,
            loss: update.loss,
            compute: begin.elapsed(),
            queued,
            way: Announced::of(&bytes),
        };
        Ok(Done { trained, way: bytes.into() })
    }
}
