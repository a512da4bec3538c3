//! The rest of a recipe, on the client's own threads: the code that the servers run, and so the same bits.

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;

use headwater_image::{CpuPool, ImageError, Parts, Payload, PoolError, Scratch, Tensor, advance, read_header};
use headwater_types::{
    ClassId, Cut, Draws, Epoch, FailureKind, Framing, ImageLimits, Recipe, SampleFailure, SampleIndex, SampleKey, Seed,
    Size,
};
use headwater_wire::Delivered;

use crate::options::ClientOptions;
use crate::sample::Sample;

/// Finishes recipes. Cheap to clone; clones share their threads.
#[derive(Clone)]
pub struct Finisher {
    pool: Arc<CpuPool>,
    limits: ImageLimits,
}

/// A sample whose recipe has been run to its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// Index in the dataset.
    pub index: SampleIndex,
    /// Its key.
    pub key: Option<SampleKey>,
    /// Its class.
    pub label: Option<ClassId>,
    /// The finished tensor, or why there is none.
    pub outcome: Result<FinishedTensor, SampleFailure>,
}

/// A finished tensor and how its photo was framed.
#[derive(Clone, Debug, PartialEq)]
pub struct FinishedTensor {
    /// f32 `[3, height, width]`.
    pub tensor: Tensor,
    /// Size of the decoded photo.
    pub source: Size,
    /// Which part of it became the tensor, and whether that was mirrored.
    pub framing: Framing,
}

// === impl Finisher ===

impl Finisher {
    /// Starts threads; as many photos wait for them at most.
    ///
    /// # Errors
    /// Where the system gives no more threads.
    pub fn new(cpu_workers: NonZeroUsize, limits: ImageLimits) -> io::Result<Self> {
        Ok(Self { pool: Arc::new(CpuPool::new(cpu_workers, cpu_workers.get())?), limits })
    }

    /// Starts the threads that a dataset's options say.
    ///
    /// # Errors
    /// Where the system gives no more threads.
    pub fn with(options: &ClientOptions) -> io::Result<Self> {
        Self::new(options.cpu_workers, options.limits)
    }

    /// Threads that work at once.
    pub fn workers(&self) -> usize {
        self.pool.workers()
    }

    /// Runs what is left of a recipe, from whichever pixel cut the sample has come at. A sample that had failed stays as
    /// it is.
    pub async fn finish(&self, recipe: &Arc<Recipe>, sample: Sample, seed: Seed, epoch: Epoch) -> Finished {
        let Sample { index, key, label, outcome } = sample;
        let outcome = match (outcome, key.clone()) {
            (Ok(delivered), Some(key)) => {
                let (recipe, limits) = (Arc::clone(recipe), self.limits);
                let job = move |scratch: &mut Scratch| {
                    finish(&recipe, delivered, &Draws { seed, epoch, key: &key }, &limits, scratch)
                };
                self.pool.run(job).await.unwrap_or_else(|error| Err(lost(&error)))
            }
            (Ok(_), None) => Err(SampleFailure::new(FailureKind::Internal, "a sample without a key cannot be framed")),
            (Err(failure), _) => Err(failure),
        };
        Finished { index, key, label, outcome }
    }
}

fn finish(
    recipe: &Recipe,
    delivered: Delivered,
    draws: &Draws<'_>,
    limits: &ImageLimits,
    scratch: &mut Scratch,
) -> Result<FinishedTensor, SampleFailure> {
    let Delivered { cut, dtype, shape, coding, payload, source, origin } = delivered;
    let source = match (cut, source) {
        (Cut::Encoded, _) | (_, None) => read_header(&payload, recipe.stages().orientation, limits)?.size,
        (_, Some(size)) => size,
    };
    let parts = Parts { cut, dtype, shape, coding, source: Some(source), origin, bytes: payload };
    let payload = Payload::from_parts(recipe, parts, limits)?;
    match advance(recipe, payload, Cut::Normalized, draws, limits, scratch)? {
        Payload::Normalized(tensor) => {
            Ok(FinishedTensor { tensor, source, framing: Framing::new(recipe.stages(), source, draws) })
        }
        other => Err(ImageError::NoSuchStep { at: other.cut(), to: Cut::Normalized }.into()),
    }
}

fn lost(error: &PoolError) -> SampleFailure {
    SampleFailure::new(FailureKind::Internal, error.to_string())
}
