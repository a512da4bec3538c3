//! The path of one sample.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use headwater_features::Extractor;
use headwater_image::{CpuPool, ImageError, Payload, PoolError, Scratch, advance, read_header};
use headwater_store::{Catalog, Store};
use headwater_types::recipe::Orientation;
use headwater_types::{
    ByteCount, ClassId, Cut, DType, Draws, Epoch, FailureKind, ImageLimits, Recipe, SampleFailure, SampleIndex,
    SampleKey, Seed, Shape, Size,
};

use crate::budget::{MemoryBudget, Permit};
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
    /// For the cut `features`, with its own recipe.
    pub model: Option<(Arc<Extractor>, Arc<Recipe>)>,
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
    /// Elements, little endian.
    pub payload: Bytes,
    /// Size of the decoded photo; `None` at the cut `encoded`.
    pub source: Option<Size>,
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
        let (encoded, encoded_permit) = self.fetch(request.index, key, times).await?;
        prepared.stored = encoded.len().into();
        if request.cut == Cut::Encoded {
            let shape = Shape::vector(u32::try_from(encoded.len()).unwrap_or(u32::MAX));
            return Ok(Finished {
                cut: Cut::Encoded,
                dtype: DType::U8,
                shape,
                payload: encoded,
                source: None,
                permit: encoded_permit,
            });
        }
        let model = match request.cut {
            Cut::Features => Some(work.model.as_ref().ok_or_else(|| missing("model"))?),
            _ => None,
        };
        let (recipe, pixels) = match model {
            Some((_, recipe)) => (recipe, Cut::Flipped),
            None => (work.recipe.as_ref().ok_or_else(|| missing("recipe"))?, request.cut),
        };
        let header = self.header(&encoded, recipe.stages().orientation).await?;

        let started = Instant::now();
        let mut permit = self.decoded_memory.acquire(header.memory).await?;
        times.queue += started.elapsed();
        let job = ImageJob {
            encoded,
            recipe: Arc::clone(recipe),
            to: pixels,
            key: key.clone(),
            seed: work.seed,
            epoch: work.epoch,
            limits: self.limits,
        };
        let timed = self.pool.run_timed(move |scratch| job.run(scratch)).await.map_err(|error| pool_failure(&error))?;
        let (payload, decode) = timed.value?;
        times.queue += timed.queued;
        (times.decode, times.transform) = (decode, timed.ran.saturating_sub(decode));
        drop(encoded_permit);
        let finished = match model {
            None => Finished {
                cut: payload.cut(),
                dtype: payload.dtype(),
                shape: payload.shape(),
                payload: payload.into_bytes(),
                source: Some(header.size),
                permit,
            },
            Some((model, _)) => {
                let extracted = model.extract(payload).await?;
                times.queue += extracted.queued;
                times.infer = extracted.infer;
                permit.shrink_to(ByteCount::from(extracted.features.len() * 4));
                Finished {
                    cut: Cut::Features,
                    dtype: DType::F32,
                    shape: Shape::vector(u32::try_from(extracted.features.len()).unwrap_or(u32::MAX)),
                    payload: little_endian(&extracted.features),
                    source: Some(header.size),
                    permit,
                }
            }
        };
        Ok(shrunk(finished))
    }

    async fn fetch(
        &self,
        index: SampleIndex,
        key: &SampleKey,
        times: &mut StageTimes,
    ) -> Result<(Bytes, Permit), SampleFailure> {
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
        let encoded = self.store.read(key, version).await?;
        times.fetch = started.elapsed();
        Ok((encoded, permit))
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
}

/// The work of one sample on a CPU worker.
struct ImageJob {
    encoded: Bytes,
    recipe: Arc<Recipe>,
    to: Cut,
    key: SampleKey,
    seed: Seed,
    epoch: Epoch,
    limits: ImageLimits,
}

impl ImageJob {
    /// The payload, and the time of it that went into decoding.
    fn run(self, scratch: &mut Scratch) -> Result<(Payload, Duration), ImageError> {
        let draws = Draws { seed: self.seed, epoch: self.epoch, key: &self.key };
        scratch.take_decode_time();
        let payload = advance(&self.recipe, Payload::Encoded(self.encoded), self.to, &draws, &self.limits, scratch)?;
        Ok((payload, scratch.take_decode_time()))
    }
}

fn little_endian(features: &[f32]) -> Bytes {
    features.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>().into()
}

/// Gives back the memory that only decoding needed.
fn shrunk(mut finished: Finished) -> Finished {
    finished.permit.shrink_to(finished.payload.len().into());
    finished
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
