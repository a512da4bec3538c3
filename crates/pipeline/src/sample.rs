//! The path of one sample.

use std::convert::identity;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use headwater_features::{Device, Extractor, Unfinished};
use headwater_image::{CpuPool, ImageError, Parts, Payload, PoolError, Scratch, advance, read_header};
use headwater_store::{Catalog, Store};
use headwater_types::recipe::Orientation;
use headwater_types::{
    ByteCount, ClassId, Cut, DType, Draws, Epoch, FailureKind, ImageLimits, PixelCoding, Position, Recipe,
    SampleFailure, SampleIndex, SampleKey, Seed, Shape, Size,
};

use crate::budget::{MemoryBudget, Permit};
use crate::index::PhotoIndex;
use crate::times::StageTimes;

/// Largest object whose header is read on the async thread: finding the scans of a progressive JPEG passes over all its
/// bytes, at several GB/s.
const INLINE_HEADER: usize = 512 * 1024;

/// Everything that a sample passes through on its way.
pub struct Pipeline {
    /// The dataset.
    pub store: Arc<dyn Store>,
    /// What is in it.
    pub catalog: Arc<Catalog>,
    /// Photos that were re-written to be cropped without decoding; `None` where that is switched off.
    pub index: Option<Arc<PhotoIndex>>,
    /// Where images are worked on.
    pub pool: CpuPool,
    /// Limits that hold before pixels.
    pub limits: ImageLimits,
    /// Memory for encoded bytes.
    pub encoded_memory: MemoryBudget,
    /// Memory for decoding and for what comes of it.
    pub decoded_memory: MemoryBudget,
}

/// What all samples of a call have in common.
#[derive(Clone)]
pub struct Work {
    /// What is done; `None` at the cut `encoded`, and where the model's own holds.
    pub recipe: Option<Arc<Recipe>>,
    /// For the cut `features`; its own recipe holds.
    pub model: Option<Arc<Extractor>>,
    /// Address of the randomness.
    pub seed: Seed,
    /// Address of the randomness.
    pub epoch: Epoch,
}

/// One sample of a call.
#[derive(Clone, Copy, Debug)]
pub struct SampleRequest {
    /// Which.
    pub index: SampleIndex,
    /// How far.
    pub cut: Cut,
    /// How its pixels may be coded.
    pub pixels: PixelCoding,
}

/// What came of a sample.
pub struct Prepared {
    /// Which was asked for.
    pub index: SampleIndex,
    /// Its key; `None` for an index that is not in the catalog.
    pub key: Option<SampleKey>,
    /// Its class.
    pub label: Option<ClassId>,
    /// Bytes read from the store.
    pub stored: ByteCount,
    /// Where its time went.
    pub times: StageTimes,
    /// The payload with its memory, or why there is none.
    pub outcome: Result<Finished, SampleFailure>,
}

/// A payload at its cut.
pub struct Finished {
    /// How far it was taken.
    pub cut: Cut,
    /// Type of its elements.
    pub dtype: DType,
    /// Axes, outermost first.
    pub shape: Shape,
    /// How the payload is written: raw, but for pixels that were coded.
    pub coding: PixelCoding,
    /// Elements, little endian, raw or coded.
    pub payload: Bytes,
    /// Size of the decoded photo; `None` at the cut `encoded`.
    pub source: Option<Size>,
    /// Where in the decoded photo the payload's first pixel lies: for `jpeg-crop`; elsewhere 0, 0.
    pub origin: Position,
    /// The memory in which the payload lies.
    pub permit: Permit,
}

// === impl Pipeline ===

impl Pipeline {
    /// Takes a sample to its cut. Dropping the future ends the work at the next stage.
    pub async fn prepare(&self, request: SampleRequest, work: &Work) -> Prepared {
        let mut prepared = Prepared {
            index: request.index,
            key: self.catalog.key(request.index),
            label: self.catalog.get(request.index).and_then(|entry| entry.label),
            stored: ByteCount::default(),
            times: StageTimes::default(),
            outcome: Err(SampleFailure::new(
                FailureKind::OutOfRange,
                format!("no sample {}: the partition has {}", request.index, self.catalog.len()),
            )),
        };
        if let Some(key) = prepared.key.clone() {
            prepared.outcome = self.run(request, &key, work, &mut prepared).await;
        }
        prepared
    }

    async fn run(
        &self,
        request: SampleRequest,
        key: &SampleKey,
        work: &Work,
        prepared: &mut Prepared,
    ) -> Result<Finished, SampleFailure> {
        let times = &mut prepared.times;
        let fetched = self.fetch(request.index, key, times).await?;
        prepared.stored = fetched.bytes.len().into();
        match request.cut {
            Cut::Encoded | Cut::JpegCrop => Ok(Finished {
                cut: Cut::Encoded,
                dtype: DType::U8,
                shape: Shape::vector(u32::try_from(fetched.bytes.len()).unwrap_or(u32::MAX)),
                coding: PixelCoding::Raw,
                payload: fetched.bytes,
                source: None,
                origin: Position::default(),
                permit: fetched.permit,
            }),
            Cut::Features => {
                let model = work.model.as_ref().ok_or_else(|| missing("model"))?;
                self.features(fetched, Job::new(self, model.recipe(), key, work), model, times).await
            }
            _ => {
                let recipe = work.recipe.as_ref().ok_or_else(|| missing("recipe"))?;
                self.pixels(fetched, Job::new(self, recipe, key, work), request, times).await
            }
        }
    }

    async fn pixels(
        &self,
        fetched: Fetched,
        job: Job,
        SampleRequest { cut, pixels, .. }: SampleRequest,
        times: &mut StageTimes,
    ) -> Result<Finished, SampleFailure> {
        let header = self.header(&fetched.bytes, job.recipe.stages().orientation).await?;
        let (pixels, memory) = self.coded(cut, pixels, header.size, header.memory);
        let mut permit = self.grant(memory, times).await?;
        let apart = move |payload: Payload| payload.into_parts(pixels, Some(header.size));
        let parts = self.on_pool(fetched.bytes, job, cut, times, apart).await?;
        // Decoding needed more than what came of it.
        permit.shrink_to(parts.bytes.len().into());
        Ok(Finished::new(parts, permit))
    }

    /// How pixels are coded, and the memory of that and of all that comes before: coding a whole photo holds it twice, and
    /// one for which that is too much travels raw.
    fn coded(&self, cut: Cut, asked: PixelCoding, photo: Size, decoding: ByteCount) -> (PixelCoding, ByteCount) {
        if cut != Cut::Decoded || asked == PixelCoding::Raw {
            return (asked, decoding);
        }
        let memory = ByteCount::new(decoding.get() + photo.pixels() * 3);
        if memory <= self.limits.max_sample_memory { (asked, memory) } else { (PixelCoding::Raw, decoding) }
    }

    async fn features(
        &self,
        fetched: Fetched,
        job: Job,
        model: &Extractor,
        times: &mut StageTimes,
    ) -> Result<Finished, SampleFailure> {
        let header = self.header(&fetched.bytes, job.recipe.stages().orientation).await?;
        let started = Instant::now();
        // Before the memory: who waits for a place holds none.
        let place = model.place().await?;
        times.queue += started.elapsed();
        let mut permit = self.grant(header.memory, times).await?;
        let (seed, epoch, key, limits) = (job.seed, job.epoch, job.key.clone(), job.limits);
        let payload = match model.device() {
            Device::Cpu => Payload::Encoded(fetched.bytes),
            Device::Cuda | Device::TensorRt => self.on_pool(fetched.bytes, job, Cut::Flipped, times, identity).await?,
        };
        let extracted = place.extract(Unfinished { payload, seed, epoch, key, limits }).await?;
        times.queue += extracted.queued;
        times.decode += extracted.decode;
        times.transform += extracted.transform;
        times.infer = extracted.infer;
        let payload = little_endian(&extracted.features);
        permit.shrink_to(payload.len().into());
        let shape = Shape::vector(u32::try_from(extracted.features.len()).unwrap_or(u32::MAX));
        Ok(Finished {
            cut: Cut::Features,
            dtype: DType::F32,
            shape,
            coding: PixelCoding::Raw,
            payload,
            source: Some(header.size),
            origin: Position::default(),
            permit,
        })
    }

    async fn fetch(
        &self,
        index: SampleIndex,
        key: &SampleKey,
        times: &mut StageTimes,
    ) -> Result<Fetched, SampleFailure> {
        let version = self.catalog.get(index).map(|entry| entry.version).ok_or_else(|| missing("catalog entry"))?;
        let limit = self.limits.max_object;
        if version.size() > limit {
            let message = format!("{} is larger than {limit}, see --max-object-bytes", version.size());
            return Err(SampleFailure::new(FailureKind::LimitExceeded, message));
        }
        let started = Instant::now();
        let permit = self.encoded_memory.acquire(version.size()).await?;
        times.queue += started.elapsed();
        let started = Instant::now();
        let bytes = self.store.read(key, version).await?;
        times.fetch = started.elapsed();
        Ok(Fetched { bytes, permit })
    }

    async fn header(
        &self,
        encoded: &Bytes,
        orientation: Orientation,
    ) -> Result<headwater_image::Header, SampleFailure> {
        let limits = self.limits;
        if encoded.len() <= INLINE_HEADER {
            return Ok(read_header(encoded, orientation, &limits)?);
        }
        let encoded = encoded.clone();
        let read = move |_: &mut Scratch| read_header(&encoded, orientation, &limits);
        Ok(self.pool.run(read).await.map_err(|error| pool_failure(&error))??)
    }

    async fn grant(&self, memory: ByteCount, times: &mut StageTimes) -> Result<Permit, SampleFailure> {
        let started = Instant::now();
        let permit = self.decoded_memory.acquire(memory).await?;
        times.queue += started.elapsed();
        Ok(permit)
    }

    /// Takes a sample from its bytes to a pixel cut, and makes of it there what `then` says.
    async fn on_pool<T: Send + 'static>(
        &self,
        bytes: Bytes,
        job: Job,
        to: Cut,
        times: &mut StageTimes,
        then: impl FnOnce(Payload) -> T + Send + 'static,
    ) -> Result<T, SampleFailure> {
        let run =
            move |scratch: &mut Scratch| job.run(bytes, to, scratch).map(|(payload, decode)| (then(payload), decode));
        let timed = self.pool.run_timed(run).await.map_err(|error| pool_failure(&error))?;
        let (made, decode) = timed.value?;
        times.queue += timed.queued;
        times.decode += decode;
        times.transform += timed.ran.saturating_sub(decode);
        Ok(made)
    }
}

/// A sample's bytes, with their memory.
struct Fetched {
    bytes: Bytes,
    permit: Permit,
}

/// What is to be done to one sample.
struct Job {
    recipe: Arc<Recipe>,
    key: SampleKey,
    seed: Seed,
    epoch: Epoch,
    limits: ImageLimits,
}

// === impl Job ===

impl Job {
    fn new(pipeline: &Pipeline, recipe: &Arc<Recipe>, key: &SampleKey, work: &Work) -> Self {
        let (recipe, key) = (Arc::clone(recipe), key.clone());
        Self { recipe, key, seed: work.seed, epoch: work.epoch, limits: pipeline.limits }
    }

    /// The payload, and the time of it that went into decoding.
    fn run(&self, bytes: Bytes, to: Cut, scratch: &mut Scratch) -> Result<(Payload, Duration), ImageError> {
        let draws = Draws { seed: self.seed, epoch: self.epoch, key: &self.key };
        scratch.take_decode_time();
        let payload = advance(&self.recipe, Payload::Encoded(bytes), to, &draws, &self.limits, scratch)?;
        Ok((payload, scratch.take_decode_time()))
    }
}

fn little_endian(features: &[f32]) -> Bytes {
    features.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>().into()
}

fn pool_failure(error: &PoolError) -> SampleFailure {
    let kind = match error {
        PoolError::Closed => FailureKind::Unavailable,
        PoolError::Panicked(_) => FailureKind::Internal,
    };
    SampleFailure::new(kind, error.to_string())
}

/// The request was checked before: reaching this is a fault of ours.
fn missing(what: &str) -> SampleFailure {
    SampleFailure::new(FailureKind::Internal, format!("the {what} is missing: please report this"))
}

// === impl Finished ===

impl Finished {
    fn new(parts: Parts, permit: Permit) -> Self {
        let Parts { cut, dtype, shape, coding, source, origin, bytes } = parts;
        Self { cut, dtype, shape, coding, payload: bytes, source, origin, permit }
    }
}

// === impl Prepared ===

impl Prepared {
    /// A sample of which nothing is known but its failure.
    pub fn failed(index: SampleIndex, failure: SampleFailure) -> Self {
        Self {
            index,
            key: None,
            label: None,
            stored: ByteCount::default(),
            times: StageTimes::default(),
            outcome: Err(failure),
        }
    }
}
