//! One sample on its way through a model.

use std::time::{Duration, Instant};

use headwater_image::{Payload, Turn};
use headwater_types::{Address, CpuSeconds, FailureKind, ImageLimits, SampleFailure, SampleKey};
use tokio::sync::oneshot;

/// A sample at any pixel cut, with all that finishing its recipe takes.
#[derive(Clone, Debug)]
pub struct Unfinished {
    /// The sample at its cut.
    pub payload: Payload,
    /// The address of its pass's randomness.
    pub address: Address,
    /// The sample's key, which decides crop and flip together with the address.
    pub key: SampleKey,
    /// Limits for decoding the sample. The caller holds the permit of its memory.
    pub limits: ImageLimits,
    /// Whether the sample's CPU time is measured.
    pub measure_cpu: bool,
    /// Whether features that are not finite are delivered, and are no failure.
    pub allow_non_finite: bool,
}

/// The features of a sample, and how long they took.
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
    /// Time of the run that the sample was part of, which all samples of the batch share.
    pub infer: Duration,
    /// Samples in that run.
    pub batch: usize,
    /// CPU time of the sample: its worker's for the recipe, and its part of the run's, which on the CPU is that of all
    /// threads of the session. `None` unless it was asked for.
    pub cpu: Option<CpuSeconds>,
}

pub(crate) type Outcome = Result<Extracted, SampleFailure>;

/// A sample that waits for a worker. Its caller may have gone.
pub(crate) struct InferenceJob {
    pub(crate) sample: Unfinished,
    pub(crate) since: Instant,
    pub(crate) answer: oneshot::Sender<Outcome>,
    /// The sample's place in the queue, given up with the job.
    pub(crate) _place: Turn,
}

pub(crate) fn inference_failure(reason: impl std::fmt::Display) -> SampleFailure {
    SampleFailure::new(FailureKind::Inference, format!("the model could not be run on it: {reason}"))
}
