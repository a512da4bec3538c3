//! Samples as features: made ready for the model's workers, and run through the model; or features that were kept.

use headwater_cache::{Kind, KindName};
use headwater_features::{Extractor, Unfinished, encode_row};
use headwater_image::{CpuMeter, Scratch};
use headwater_types::{SampleFailure, Size};

use crate::budget::Permit;
use crate::cached::{Place, vector};
use crate::pipeline::Pipeline;
use crate::prepared::Finished;
use crate::ready::{Ready, made_of_it};
use crate::recipe_run::RecipeRun;
use crate::request::Call;
use crate::times::Stage;
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
        let ahead = self.ahead(sample, &run, model, place.is_some());
        let kept = match &ahead.place {
            Some(pixels) => self.ready_kept(sample, &run, model, (pixels, &call.job)).await?,
            None => None,
        };
        let features = place.is_some().then_some(KindName::Features);
        let pixels = ahead.place.is_some().then_some(KindName::Resized);
        let may: Vec<_> = [KindName::Encoded].into_iter().chain(pixels).chain(features).collect();
        let worth = self.worth_keeping(&may, sample);
        let (address, key, limits) = (run.address, run.key.clone(), run.limits);
        let (measure_cpu, allow_non_finite) = (run.measure_cpu, call.allow_non_finite);
        let ready = match kept {
            Some(ready) => ready,
            None => self.ready_photo(sample, run, model, (ahead, worth, &call.job)).await?,
        };
        let Ready { payload, size, in_queue, permit, _photo } = ready;
        let times = &mut sample.times;
        let unfinished = Unfinished { payload, address, key, limits, measure_cpu, allow_non_finite };
        let extracted = in_queue.extract(unfinished).await?;
        times.add_cpu(extracted.cpu);
        times.add([
            (Stage::Queue, extracted.queued),
            (Stage::Decode, extracted.decode),
            (Stage::Transform, extracted.transform),
            (Stage::Infer, extracted.infer),
        ]);
        let entry = vector::seal(&extracted.features, size);
        if let Some((place, entry)) = place.filter(|_| worth.has(KindName::Features)).zip(entry) {
            // A worker infers a batch at a time, of which each sample has its part.
            let took = times.made();
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
        let most = vector::entry_bytes(model.feature_len());
        let most = if coded { most.max(made_of_it(model)) } else { most };
        let permit = sample.times.during(Stage::Queue, call.job.encoded(most)).await?;
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
    sample.times.add([(Stage::Queue, timed.queued), (Stage::Transform, timed.ran)]);
    Ok(Finished::features(&row, coded, source, permit))
}
