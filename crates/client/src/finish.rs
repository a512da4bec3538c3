//! Finishing recipes on the client's own threads. It is the code that the servers run, and so makes the same bits.

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;

use headwater_image::{
    CpuMeter, CpuPool, ImageError, Parts, Payload, PoolError, Scratch, Tensor, advance, read_header,
};
use headwater_types::{
    Address, AgreedLimits, ClassId, CpuSeconds, Cut, Draws, FailureKind, Framing, Recipe, SampleFailure, SampleIndex,
    SampleKey, Size, Way,
};
use headwater_wire::Delivered;

use crate::limits::failure_of;
use crate::options::ClientOptions;
use crate::sample::Sample;

/// Finishes recipes. Cheap to clone; clones share their threads.
#[derive(Clone)]
pub struct Finisher {
    pool: Arc<CpuPool>,
}

/// A sample whose recipe has been run to its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// The sample's index in the dataset.
    pub index: SampleIndex,
    /// The sample's key.
    pub key: Option<SampleKey>,
    /// The sample's class.
    pub label: Option<ClassId>,
    /// The finished tensor, or why there is none.
    pub outcome: Result<FinishedTensor, SampleFailure>,
}

/// A finished tensor and how its photo was framed.
#[derive(Clone, Debug, PartialEq)]
pub struct FinishedTensor {
    /// The tensor: f32 `[3, height, width]`.
    pub tensor: Tensor,
    /// Size of the decoded photo.
    pub source: Size,
    /// Which part of the photo became the tensor, and whether that part was mirrored.
    pub framing: Framing,
}

// === impl Finisher ===

impl Finisher {
    /// Starts threads. At most as many photos wait for them.
    ///
    /// # Errors
    /// Where the system gives no more threads.
    pub fn new(cpu_workers: NonZeroUsize) -> io::Result<Self> {
        Ok(Self { pool: Arc::new(CpuPool::new(cpu_workers, cpu_workers.get())?) })
    }

    /// Starts the threads that a dataset's options say.
    ///
    /// # Errors
    /// Where the system gives no more threads.
    pub fn with(options: &ClientOptions) -> io::Result<Self> {
        Self::new(options.cpu_workers)
    }

    /// Threads that work at once.
    pub fn workers(&self) -> usize {
        self.pool.workers()
    }

    /// Runs a job on the pool; a pool that is gone is a failure of the sample.
    pub(crate) async fn on_pool<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Scratch) -> T + Send + 'static,
    ) -> Result<T, SampleFailure> {
        self.pool.run(job).await.map_err(|error| lost(&error))
    }

    /// Runs what is left of a recipe, from whichever pixel cut the sample has come at, with the randomness at the
    /// sample's address. A sample that had failed stays as it is.
    pub async fn finish(&self, recipe: &Arc<Recipe>, sample: Sample) -> Finished {
        self.run(recipe, sample, false).await.0
    }

    /// Finishes a recipe like [`finish`](Self::finish), and says how much CPU time that took here.
    pub async fn finish_metered(&self, recipe: &Arc<Recipe>, sample: Sample) -> (Finished, CpuSeconds) {
        let (finished, cpu) = self.run(recipe, sample, true).await;
        (finished, cpu.unwrap_or_default())
    }

    /// Opens a sample for somebody else who takes it further, such as a model's workers, and says how much CPU time
    /// that took here. It runs on the pool, since pixels that are coded are decoded.
    pub async fn payload(
        &self,
        recipe: &Arc<Recipe>,
        delivered: Delivered,
        limits: AgreedLimits,
    ) -> (Result<Payload, SampleFailure>, CpuSeconds) {
        let recipe = Arc::clone(recipe);
        self.metered(move || payload_of(&recipe, delivered, &limits).map(|(payload, _)| payload)).await
    }

    /// Runs another job of a sample on these threads, and says how much CPU time that took.
    pub async fn metered<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> Result<T, SampleFailure> + Send + 'static,
    ) -> (Result<T, SampleFailure>, CpuSeconds) {
        let job = move |_: &mut Scratch| {
            let meter = CpuMeter::start(true);
            let done = job();
            (done, meter.read().unwrap_or_default())
        };
        self.on_pool(job).await.unwrap_or_else(|failure| (Err(failure), CpuSeconds::default()))
    }

    /// Opens a sample as [`payload`](Self::payload) does, and takes it to its crop's pixels, so that an
    /// accelerator's few workers have little left to do. A sample that has come further stays as it is.
    pub async fn pixels(
        &self,
        recipe: &Arc<Recipe>,
        (delivered, limits): (Delivered, AgreedLimits),
        (key, address): (SampleKey, Address),
    ) -> (Result<Payload, SampleFailure>, CpuSeconds) {
        let recipe = Arc::clone(recipe);
        let job = move |scratch: &mut Scratch| {
            let meter = CpuMeter::start(true);
            let draws = Draws { address, key: &key };
            let pixels = payload_of(&recipe, delivered, &limits).and_then(|(payload, _)| match payload.cut() {
                cut if cut < Cut::Flipped => {
                    let pixels = advance(&recipe, payload, Cut::Flipped, &draws, &limits.limits(), scratch);
                    pixels.map_err(|error| failure_of(error, &limits))
                }
                _ => Ok(payload),
            });
            (pixels, meter.read().unwrap_or_default())
        };
        self.on_pool(job).await.unwrap_or_else(|failure| (Err(failure), CpuSeconds::default()))
    }

    async fn run(&self, recipe: &Arc<Recipe>, sample: Sample, metered: bool) -> (Finished, Option<CpuSeconds>) {
        let Sample { index, address, key, label, limits, outcome, trace, .. } = sample;
        let (outcome, cpu) = match (outcome, key.clone()) {
            (Ok(delivered), Some(key)) => {
                let recipe = Arc::clone(recipe);
                let job = move |scratch: &mut Scratch| {
                    let _finishing = trace.finishing();
                    let meter = CpuMeter::start(metered);
                    let draws = Draws { address, key: &key };
                    (finish(&recipe, delivered, &draws, &limits, scratch), meter.read())
                };
                self.on_pool(job).await.unwrap_or_else(|failure| (Err(failure), None))
            }
            (Ok(_), None) => {
                let message = "a sample without a key cannot be framed";
                (Err(SampleFailure::new(FailureKind::Internal, message)), None)
            }
            (Err(failure), _) => (Err(failure), None),
        };
        (Finished { index, key, label, outcome }, cpu)
    }
}

fn finish(
    recipe: &Recipe,
    delivered: Delivered,
    draws: &Draws<'_>,
    limits: &AgreedLimits,
    scratch: &mut Scratch,
) -> Result<FinishedTensor, SampleFailure> {
    let (payload, source) = payload_of(recipe, delivered, limits)?;
    let advanced = advance(recipe, payload, Cut::Normalized, draws, &limits.limits(), scratch);
    match advanced.map_err(|error| failure_of(error, limits))? {
        Payload::Normalized(tensor) => {
            Ok(FinishedTensor { tensor, source, framing: Framing::new(recipe.stages(), source, draws) })
        }
        other => Err(ImageError::NoSuchStep { at: other.cut(), to: Cut::Normalized }.into()),
    }
}

/// A sample as the image crate takes it, and the size of its photo.
pub(crate) fn payload_of(
    recipe: &Recipe,
    delivered: Delivered,
    limits: &AgreedLimits,
) -> Result<(Payload, Size), SampleFailure> {
    let Delivered { way, dtype, shape, payload, source, origin } = delivered;
    let held = limits.limits();
    let source = match source {
        Some(size) if way != Way::ENCODED => size,
        _ => {
            let header = read_header(&payload, recipe.stages().orientation, &held);
            header.map_err(|error| failure_of(error, limits))?.size
        }
    };
    let parts = Parts { way, dtype, shape, source: Some(source), origin, bytes: payload };
    let payload = Payload::from_parts(recipe, parts, &held).map_err(|error| failure_of(error, limits))?;
    Ok((payload, source))
}

fn lost(error: &PoolError) -> SampleFailure {
    SampleFailure::new(FailureKind::Internal, error.to_string())
}
