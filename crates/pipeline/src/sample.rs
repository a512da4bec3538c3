//! The path of one sample.

use std::convert::identity;
use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_features::{Device, Extractor, Unfinished};
use headwater_image::{CpuMeter, CpuPool, ImageError, Payload, Scratch, advance};
use headwater_store::{Catalog, Store};
use headwater_types::{
    Address, ByteCount, CpuSeconds, Cut, Draws, FailureKind, ImageLimits, PixelCoding, Recipe, SampleFailure,
    SampleIndex, SampleKey, Size, Way,
};

use crate::account::Account;
use crate::budget::MemoryBudget;
use crate::failure::{missing, pool_failure};
use crate::index::PhotoIndex;
use crate::photo::{Fetched, Photo};
use crate::prepared::{Finished, Prepared};
use crate::times::StageTimes;

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
    /// Whether the CPU time of each sample is measured.
    pub measure_cpu: bool,
    /// Whose memory its samples take.
    pub account: Account,
    /// The longest payload that may come of a sample.
    pub max_payload: ByteCount,
    /// Whether features that are not finite are wanted all the same, and no failure.
    pub allow_non_finite: bool,
}

/// One sample of a call.
#[derive(Clone, Copy, Debug)]
pub struct SampleRequest {
    /// Which.
    pub index: SampleIndex,
    /// How it travels.
    pub way: Way,
    /// The address of its pass's randomness: samples of one call, and repeats of one sample, may each have their own.
    pub address: Address,
}

/// What is to be done to one sample.
pub(crate) struct Job {
    pub(crate) recipe: Arc<Recipe>,
    pub(crate) key: SampleKey,
    pub(crate) address: Address,
    pub(crate) limits: ImageLimits,
    pub(crate) measure_cpu: bool,
    pub(crate) allow_non_finite: bool,
}

// === impl Pipeline ===

impl Pipeline {
    /// Both budgets.
    pub fn memory(&self) -> [&MemoryBudget; 2] {
        [&self.encoded_memory, &self.decoded_memory]
    }

    /// Takes a sample to its cut. Dropping the future ends the work at the next stage.
    pub async fn prepare(&self, request: SampleRequest, work: &Work) -> Prepared {
        let mut prepared = self.unprepared(request.index);
        if let Some(key) = prepared.key.clone() {
            // What no worker touches took none of their time.
            prepared.times.cpu = work.measure_cpu.then(CpuSeconds::default);
            prepared.outcome = self.run(request, &key, work, &mut prepared).await;
        }
        prepared.within(work.max_payload)
    }

    /// A sample as the catalog knows it, with the failure of one that it does not know.
    pub(crate) fn unprepared(&self, index: SampleIndex) -> Prepared {
        let unknown = || format!("no sample {index}: the partition has {}", self.catalog.len());
        Prepared {
            key: self.catalog.key(index),
            label: self.catalog.get(index).and_then(|entry| entry.label),
            ..Prepared::failed(index, SampleFailure::new(FailureKind::OutOfRange, unknown()))
        }
    }

    async fn run(
        &self,
        request: SampleRequest,
        key: &SampleKey,
        work: &Work,
        prepared: &mut Prepared,
    ) -> Result<Finished, SampleFailure> {
        let times = &mut prepared.times;
        if request.way == Way::ENCODED {
            let Fetched { bytes, permit } = self.fetch(request.index, &work.account, times).await?;
            prepared.stored = bytes.len().into();
            return Ok(Finished::encoded(bytes, permit));
        }
        let photo = self.photo(request.index, key, &work.account, times).await?;
        prepared.stored = photo.stored;
        if request.way == Way::FEATURES {
            let model = work.model.as_ref().ok_or_else(|| missing("model"))?;
            return self
                .features(
                    photo,
                    Job::new(self, model.recipe(), key, request.address, work),
                    model,
                    (&work.account, times),
                )
                .await;
        }
        let recipe = work.recipe.as_ref().ok_or_else(|| missing("recipe"))?;
        self.pixels(photo, Job::new(self, recipe, key, request.address, work), request, (&work.account, times)).await
    }

    async fn pixels(
        &self,
        photo: Photo,
        job: Job,
        SampleRequest { way, .. }: SampleRequest,
        (account, times): (&Account, &mut StageTimes),
    ) -> Result<Finished, SampleFailure> {
        let measure = self.measure(&photo.payload, job.recipe.stages().orientation).await?;
        let (pixels, memory) = self.coded(way, measure.size, measure.memory);
        let mut permit = self.grant(memory, account, times).await?;
        let apart = move |payload: Payload| payload.into_parts(pixels, Some(measure.size));
        let parts = self.on_pool(photo.payload, job, way.cut(), times, apart).await?;
        // Decoding needed more than what came of it.
        permit.shrink_to(parts.bytes.len().into());
        Ok(Finished { parts, permit })
    }

    /// How pixels are coded, and the memory of that and of all that comes before: coding a whole photo holds it twice, and
    /// one for which that is too much travels raw.
    fn coded(&self, way: Way, photo: Size, decoding: ByteCount) -> (PixelCoding, ByteCount) {
        let asked = way.pixels();
        if way.cut() != Cut::Decoded || asked == PixelCoding::Raw {
            return (asked, decoding);
        }
        let memory = ByteCount::new(decoding.get() + photo.pixels() * 3);
        if memory <= self.limits.max_sample_memory { (asked, memory) } else { (PixelCoding::Raw, decoding) }
    }

    async fn features(
        &self,
        photo: Photo,
        job: Job,
        model: &Extractor,
        (account, times): (&Account, &mut StageTimes),
    ) -> Result<Finished, SampleFailure> {
        let measure = self.measure(&photo.payload, job.recipe.stages().orientation).await?;
        let started = Instant::now();
        // Before the memory: who waits for a place holds none.
        let place = model.place().await?;
        times.queue += started.elapsed();
        let mut permit = self.grant(measure.memory, account, times).await?;
        let (address, key, limits) = (job.address, job.key.clone(), job.limits);
        let (measure_cpu, allow_non_finite) = (job.measure_cpu, job.allow_non_finite);
        let payload = match model.device() {
            Device::Cpu => photo.payload,
            Device::Cuda | Device::TensorRt => self.on_pool(photo.payload, job, Cut::Flipped, times, identity).await?,
        };
        let sample = Unfinished { payload, address, key, limits, measure_cpu, allow_non_finite };
        let extracted = place.extract(sample).await?;
        times.add_cpu(extracted.cpu);
        times.queue += extracted.queued;
        times.decode += extracted.decode;
        times.transform += extracted.transform;
        times.infer = extracted.infer;
        permit.shrink_to(ByteCount::new(4 * extracted.features.len() as u64));
        Ok(Finished::features(&extracted.features, measure.size, permit))
    }

    /// Takes a sample from its bytes to a pixel cut, and makes of it there what `then` says.
    async fn on_pool<T: Send + 'static>(
        &self,
        photo: Payload,
        job: Job,
        to: Cut,
        times: &mut StageTimes,
        then: impl FnOnce(Payload) -> T + Send + 'static,
    ) -> Result<T, SampleFailure> {
        let run = move |scratch: &mut Scratch| {
            let meter = CpuMeter::start(job.measure_cpu);
            let made = job.run(photo, to, scratch).map(|(payload, decode)| (then(payload), decode));
            (made, meter.read())
        };
        let timed = self.pool.run_timed(run).await.map_err(|error| pool_failure(&error))?;
        let (made, cpu) = timed.value;
        times.add_cpu(cpu);
        let (made, decode) = made?;
        times.queue += timed.queued;
        times.decode += decode;
        times.transform += timed.ran.saturating_sub(decode);
        Ok(made)
    }
}

// === impl Job ===

impl Job {
    pub(crate) fn new(
        pipeline: &Pipeline,
        recipe: &Arc<Recipe>,
        key: &SampleKey,
        address: Address,
        work: &Work,
    ) -> Self {
        let (recipe, key) = (Arc::clone(recipe), key.clone());
        let Work { measure_cpu, allow_non_finite, .. } = *work;
        Self { recipe, key, address, limits: pipeline.limits, measure_cpu, allow_non_finite }
    }

    /// The payload, and the time of it that went into decoding.
    pub(crate) fn run(
        &self,
        photo: Payload,
        to: Cut,
        scratch: &mut Scratch,
    ) -> Result<(Payload, Duration), ImageError> {
        let draws = Draws { address: self.address, key: &self.key };
        scratch.take_decode_time();
        let payload = advance(&self.recipe, photo, to, &draws, &self.limits, scratch)?;
        Ok((payload, scratch.take_decode_time()))
    }
}
