//! Samples as features: decoded by the model's workers on the CPU, or ahead of an accelerator, and run through the
//! model; or features that were kept.

use headwater_cache::{Kind, KindName};
use headwater_features::{Device, Extractor, Unfinished, encode_row};
use headwater_image::{CpuMeter, Scratch};
use headwater_types::{ByteCount, Cut, SampleFailure, Size};

use crate::budget::Permit;
use crate::cached::{Place, vector};
use crate::photo::{Measure, Photo};
use crate::pipeline::Pipeline;
use crate::prepared::Finished;
use crate::recipe_run::RecipeRun;
use crate::request::Call;
use crate::times::timed;
use crate::underway::Underway;

// === impl Pipeline ===

impl Pipeline {
    /// Takes a sample to a model's features, which are coded where that is wanted. The run is that of the model's own
    /// recipe.
    pub(crate) async fn features(
        &self,
        sample: &mut Underway,
        run: RecipeRun,
        (model, coded): (&Extractor, bool),
        call: &Call,
    ) -> Result<Finished, SampleFailure> {
        let place = self.place_of_features(sample, &run, model);
        if let Some(place) = &place
            && let Some(kept) = self.kept_features(sample, (model, coded), (place, call)).await?
        {
            return travelling(sample, kept, coded, call).await;
        }
        let may: &[KindName] =
            if place.is_some() { &[KindName::Encoded, KindName::Features] } else { &[KindName::Encoded] };
        let worth = self.worth_keeping(may, sample);
        let Photo { incoming, _permit } = self.photo(sample, worth.has(KindName::Encoded), &call.job).await?;
        let Measure { size, memory } = self.measure(&incoming, run.recipe.stages().orientation, &call.job).await?;
        let times = &mut sample.times;
        // The place comes before the memory: a sample that waits for a place holds no memory for decoding.
        let in_queue = timed(&mut times.queue, model.place()).await?;
        // What the front of a network makes of a small photo may be more than the photo.
        let memory = memory.max(row_bytes(model, coded));
        let permit = timed(&mut times.queue, call.job.decoded(memory)).await?;
        let (address, key, limits) = (run.address, run.key.clone(), run.limits);
        let (measure_cpu, allow_non_finite) = (run.measure_cpu, call.allow_non_finite);
        let payload = match model.device() {
            Device::Cpu => incoming.into(),
            Device::Cuda | Device::TensorRt => {
                let flipped = |run: &RecipeRun, photo, scratch: &mut Scratch| run.run(photo, Cut::Flipped, scratch);
                run.compute(incoming.into(), flipped, (&call.job, times)).await?
            }
        };
        let unfinished = Unfinished { payload, address, key, limits, measure_cpu, allow_non_finite };
        let extracted = in_queue.extract(unfinished).await?;
        times.add_cpu(extracted.cpu);
        times.queue += extracted.queued;
        times.decode += extracted.decode;
        times.transform += extracted.transform;
        times.infer = extracted.infer;
        let entry = vector::seal(&extracted.features, size);
        if let Some((place, entry)) = place.filter(|_| worth.has(KindName::Features)).zip(entry) {
            // A worker infers a batch at a time, of which each sample has its part.
            let took = times.decode + times.transform + times.infer;
            place.keep(sample, took, entry, self.outlook.as_ref()).await;
        }
        travelling(sample, Made { row: extracted.features, source: size, permit }, coded, call).await
    }

    /// Where a sample's features may be kept; `None` for a recipe that draws anything at random, and where it is
    /// measured what making them takes.
    fn place_of_features(&self, sample: &Underway, run: &RecipeRun, model: &Extractor) -> Option<Place> {
        let cache = self.cache.as_ref().filter(|cache| cache.may_have(KindName::Features))?;
        if run.recipe.is_random() || run.measure_cpu {
            return None;
        }
        let kind = Kind::Features { model: vector::digest(model) };
        let most = vector::entry_bytes(model.feature_len());
        Some(Place::new(cache, sample, kind, most))
    }

    /// A sample whose features were kept; `None` where they were not.
    async fn kept_features(
        &self,
        sample: &mut Underway,
        (model, coded): (&Extractor, bool),
        (place, call): (&Place, &Call),
    ) -> Result<Option<Made>, SampleFailure> {
        let most = vector::entry_bytes(model.feature_len()).max(row_bytes(model, coded));
        let permit = timed(&mut sample.times.queue, call.job.encoded(most)).await?;
        let Some(entry) = place.find().await else { return Ok(None) };
        self.check(&sample.extent).await?;
        let Some(kept) = vector::open(&entry, model.feature_len()) else { return Ok(None) };
        Ok(Some(Made { row: kept.values, source: kept.source, permit }))
    }
}

/// Features that are there, and the memory in which they lie.
struct Made {
    row: Vec<f32>,
    source: Size,
    permit: Permit,
}

/// Features as they travel. They are coded on a CPU worker.
async fn travelling(
    sample: &mut Underway,
    Made { row, source, permit }: Made,
    coded: bool,
    call: &Call,
) -> Result<Finished, SampleFailure> {
    if !coded {
        return Ok(Finished::features(&row, None, source, permit));
    }
    let measure_cpu = call.measure_cpu;
    let code = move |_: &mut Scratch| {
        let meter = CpuMeter::start(measure_cpu);
        let coded = encode_row(&row);
        (row, coded, meter.read())
    };
    let timed = call.job.compute(code).await?;
    let (row, coded, cpu) = timed.value;
    sample.times.add_cpu(cpu);
    sample.times.queue += timed.queued;
    sample.times.transform += timed.ran;
    Ok(Finished::features(&row, coded, source, permit))
}

/// Memory of what a model makes of a sample, and beside it of what that is coded into.
fn row_bytes(model: &Extractor, coded: bool) -> ByteCount {
    let row = 4 * model.feature_len() as u64;
    ByteCount::new(if coded { 2 * row } else { row })
}
