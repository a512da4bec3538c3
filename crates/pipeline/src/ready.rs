//! Samples that are ready for a model's workers: photos as they come in, pixels that were made ahead, or kept.
//!
//! On the CPU a worker does all of a sample. An accelerator's workers are few and are given pixels, made on the CPU's
//! threads or found among those that were kept. Kept pixels are given to the CPU's workers too where `--cache-kinds`
//! lists them and features are not kept: they save decoding, and whoever lists them has asked for that.

use std::time::Instant;

use headwater_cache::KindName;
use headwater_features::{Extractor, Place as InQueue};
use headwater_image::{ImageError, Payload, Scratch};
use headwater_types::{ByteCount, Cut, SampleFailure, Size};

use crate::budget::Permit;
use crate::cached::{KindSet, Place, resized};
use crate::photo::{Measure, Photo};
use crate::pipeline::Pipeline;
use crate::recipe_run::RecipeRun;
use crate::resources::Job;
use crate::times::Stage;
use crate::underway::Underway;

/// A sample with its place in a model's queue, and the memory of both ends of what is left to do.
pub(crate) struct Ready<'a> {
    pub(crate) payload: Payload,
    /// Size of the decoded photo.
    pub(crate) size: Size,
    pub(crate) in_queue: InQueue<'a>,
    pub(crate) permit: Permit,
    /// Of the stored bytes, while they may still be read.
    pub(crate) _photo: Option<Permit>,
}

/// Whether a sample's pixels are made ahead, and where they may be kept.
pub(crate) struct Ahead {
    is_made: bool,
    pub(crate) place: Option<Place>,
}

// === impl Pipeline ===

impl Pipeline {
    /// What is made of a sample ahead of a model. `keeps_features`: whether its features may be kept.
    pub(crate) fn ahead(&self, sample: &Underway, run: &RecipeRun, model: &Extractor, keeps_features: bool) -> Ahead {
        let is_accelerator = model.devices().is_accelerator();
        let is_listed = self.cache.as_ref().is_some_and(|cache| cache.lists(KindName::Resized));
        if !is_accelerator && (keeps_features || !is_listed) {
            return Ahead { is_made: false, place: None };
        }
        let place = self.place_of_pixels(sample, run, Cut::Flipped);
        Ahead { is_made: is_accelerator || place.is_some(), place }
    }

    /// A sample whose pixels were kept; `None` where they were not.
    pub(crate) async fn ready_kept<'a>(
        &self,
        sample: &mut Underway,
        run: &RecipeRun,
        model: &'a Extractor,
        (place, job): (&Place, &Job),
    ) -> Result<Option<Ready<'a>>, SampleFailure> {
        let encoded = sample.times.during(Stage::Queue, job.encoded(resized::most_bytes(&run.recipe))).await?;
        let Some(entry) = place.find().await else { return Ok(None) };
        self.check(&sample.extent).await?;
        let in_queue = in_queue(model, (job, sample)).await;
        // The pixels, and the same flipped; or the features that come of them, where these are more.
        let memory = ByteCount::new(resized::raw_bytes(&run.recipe) * 2).max(made_of_it(model));
        let permit = sample.times.during(Stage::Queue, job.decoded(memory)).await?;
        let run = run.clone();
        let make = move |scratch: &mut Scratch| -> Option<Result<(Payload, Size), ImageError>> {
            let kept = resized::open(&entry, &run.recipe, &run.limits)?;
            Some(run.run(kept.payload, Cut::Flipped, scratch).map(|(payload, _)| (payload, kept.source)))
        };
        let made = job.compute(make).await?;
        drop(encoded);
        sample.times.add([(Stage::Queue, made.queued), (Stage::Transform, made.ran)]);
        let made = made.value.transpose()?;
        Ok(made.map(|(payload, size)| Ready { payload, size, in_queue, permit, _photo: None }))
    }

    /// A sample of a photo. `worth`: what is worth keeping of it.
    pub(crate) async fn ready_photo<'a>(
        &self,
        sample: &mut Underway,
        run: RecipeRun,
        model: &'a Extractor,
        (ahead, worth, job): (Ahead, KindSet, &Job),
    ) -> Result<Ready<'a>, SampleFailure> {
        let Photo { incoming, _permit } = self.photo(sample, worth.has(KindName::Encoded), job).await?;
        let Measure { size, memory } = self.measure(&incoming, run.recipe.stages().orientation, job).await?;
        // The place comes before the memory: a sample that waits for a place holds no memory for decoding.
        let in_queue = in_queue(model, (job, sample)).await;
        // What the front of a network makes of a small photo may be more than the photo.
        let memory = memory.max(made_of_it(model));
        let permit = sample.times.during(Stage::Queue, job.decoded(memory)).await?;
        let _photo = Some(_permit);
        if !ahead.is_made {
            return Ok(Ready { payload: incoming.into(), size, in_queue, permit, _photo });
        }
        let place = ahead.place.filter(|_| worth.has(KindName::Resized));
        let keeps = place.is_some();
        let make = move |run: &RecipeRun, photo, scratch: &mut Scratch| {
            let (made, decode) = run.run(photo, if keeps { Cut::Cropped } else { Cut::Flipped }, scratch)?;
            let entry = if keeps { resized::seal(&made, size) } else { None };
            let (payload, _) = run.run(made, Cut::Flipped, scratch)?;
            Ok(((payload, entry), decode))
        };
        let (payload, entry) = run.compute(incoming.into(), make, (job, &mut sample.times)).await?;
        if let Some((place, entry)) = place.zip(entry) {
            let took = sample.times.made();
            place.keep(sample, took, entry, self.outlook.as_ref()).await;
        }
        Ok(Ready { payload, size, in_queue, permit, _photo })
    }
}

/// A sample's place in a model's queue.
async fn in_queue<'a>(model: &'a Extractor, (job, sample): (&Job, &mut Underway)) -> InQueue<'a> {
    let began = Instant::now();
    let place = model.place_for(job.account().flow()).await;
    sample.times.since(Stage::Queue, began);
    place
}

/// Memory of what a model makes of a sample, and beside it of what that may be coded into.
pub(crate) fn made_of_it(model: &Extractor) -> ByteCount {
    ByteCount::new(2 * 4 * model.feature_len() as u64)
}
