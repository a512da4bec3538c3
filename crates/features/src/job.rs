//! One sample on its way through a model.

use std::time::{Duration, Instant};

use headwater_image::Payload;
use headwater_types::{Address, CpuSeconds, FailureKind, ImageLimits, SampleFailure, SampleKey};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// A sample at any pixel cut, with what it takes to finish its recipe.
#[derive(Clone, Debug)]
pub struct Unfinished {
    /// The sample as it is.
    pub payload: Payload,
    /// The address of its pass's randomness.
    pub address: Address,
    /// Its key: with the address, it decides crop and flip.
    pub key: SampleKey,
    /// Limits for decoding it. Its memory has been granted to the caller.
    pub limits: ImageLimits,
    /// Whether its CPU time is measured.
    pub measure_cpu: bool,
    /// Whether features that are not finite are wanted all the same, and no failure.
    pub allow_non_finite: bool,
}

/// What became of a sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Extracted {
    /// f32 `[d]`, as the model gives them: not normalised, and finite unless others were asked for.
    pub features: Vec<f32>,
    /// Time in the queue, until a worker took it.
    pub queued: Duration,
    /// Time in which its worker decoded it; zero for pixels and tensors.
    pub decode: Duration,
    /// Time in which its worker did the rest of the recipe.
    pub transform: Duration,
    /// Time of the run that it was part of, shared with the others of its batch.
    pub infer: Duration,
    /// Samples in that run.
    pub batch: usize,
    /// CPU time of the workers: its own for the recipe, and its part of the run's, on the CPU of all threads of a session. `None`
    /// unless it was asked for.
    pub cpu: Option<CpuSeconds>,
}

pub(crate) type Outcome = Result<Extracted, SampleFailure>;

/// A sample that waits for a worker. Nobody may be waiting for the answer any more.
pub(crate) struct Job {
    pub(crate) sample: Unfinished,
    pub(crate) since: Instant,
    pub(crate) answer: oneshot::Sender<Outcome>,
    /// Its place in the queue, given up with it.
    pub(crate) _place: OwnedSemaphorePermit,
}

pub(crate) fn inference_failure(reason: impl std::fmt::Display) -> SampleFailure {
    SampleFailure::new(FailureKind::Inference, format!("the model could not be run on it: {reason}"))
}
