//! Samples as pixels or floats: decoded, and taken through the recipe on a CPU worker; or from pixels that were kept.

use headwater_cache::{Kind, KindName};
use headwater_image::{ImageError, Parts, Scratch};
use headwater_types::{ByteCount, Cut, PixelCoding, SampleFailure, Size, Way};

use crate::cached::{Place, resized};
use crate::photo::{Measure, Photo};
use crate::pipeline::Pipeline;
use crate::prepared::Finished;
use crate::recipe_run::RecipeRun;
use crate::resources::Job;
use crate::times::Stage;
use crate::underway::Underway;

// === impl Pipeline ===

impl Pipeline {
    /// Takes a sample to a pixel cut.
    pub(crate) async fn pixels(
        &self,
        sample: &mut Underway,
        run: RecipeRun,
        way: Way,
        job: &Job,
    ) -> Result<Finished, SampleFailure> {
        let place = self.place_of_pixels(sample, &run, way.cut());
        if let Some(place) = &place
            && let Some(finished) = self.kept_pixels(sample, &run, way, (place, job)).await?
        {
            return Ok(finished);
        }
        let may: &[KindName] =
            if place.is_some() { &[KindName::Encoded, KindName::Resized] } else { &[KindName::Encoded] };
        let worth = self.worth_keeping(may, sample);
        let Photo { incoming, _permit } = self.photo(sample, worth.has(KindName::Encoded), job).await?;
        let Measure { size, memory } = self.measure(&incoming, run.recipe.stages().orientation, job).await?;
        let (coding, memory) = self.coded(way, size, memory);
        let mut permit = sample.times.during(Stage::Queue, job.decoded(memory)).await?;
        let (place, cut) = (place.filter(|_| worth.has(KindName::Resized)), way.cut());
        let keeps = place.is_some();
        let make = move |run: &RecipeRun, photo, scratch: &mut Scratch| {
            let (made, decode) = run.run(photo, if keeps { Cut::Cropped } else { cut }, scratch)?;
            let entry = if keeps { resized::seal(&made, size) } else { None };
            let (payload, _) = run.run(made, cut, scratch)?;
            Ok(((payload.into_parts(coding, Some(size)), entry), decode))
        };
        let (parts, entry) = run.compute(incoming.into(), make, (job, &mut sample.times)).await?;
        if let Some((place, entry)) = place.zip(entry) {
            let took = sample.times.made();
            place.keep(sample, took, entry, self.outlook.as_ref()).await;
        }
        // Decoding needed more than what came of it.
        permit.shrink_to(parts.bytes.len().into());
        Ok(Finished { parts, permit })
    }

    /// Where a sample's pixels may be kept; `None` for a recipe that draws its crop at random, for a cut before the
    /// crop, and where it is measured what making them takes.
    pub(crate) fn place_of_pixels(&self, sample: &Underway, run: &RecipeRun, cut: Cut) -> Option<Place> {
        let cache = self.cache.as_ref().filter(|cache| cache.may_have(KindName::Resized))?;
        if run.recipe.crops_at_random() || cut < Cut::Cropped || run.measure_cpu {
            return None;
        }
        let kind = Kind::Resized { recipe: run.recipe.digest() };
        Some(Place::new(cache, sample, kind, resized::most_bytes(&run.recipe)))
    }

    /// A sample whose pixels were kept; `None` where they were not.
    async fn kept_pixels(
        &self,
        sample: &mut Underway,
        run: &RecipeRun,
        way: Way,
        (place, job): (&Place, &Job),
    ) -> Result<Option<Finished>, SampleFailure> {
        let encoded = sample.times.during(Stage::Queue, job.encoded(resized::most_bytes(&run.recipe))).await?;
        let Some(entry) = place.find().await else { return Ok(None) };
        self.check(&sample.extent).await?;
        // The pixels, and the floats that may come of them.
        let memory = ByteCount::new(resized::raw_bytes(&run.recipe) * 5);
        let mut permit = sample.times.during(Stage::Queue, job.decoded(memory)).await?;
        let run = run.clone();
        let make = move |scratch: &mut Scratch| -> Option<Result<Parts, ImageError>> {
            let kept = resized::open(&entry, &run.recipe, &run.limits)?;
            let made = run.run(kept.payload, way.cut(), scratch);
            Some(made.map(|(payload, _)| payload.into_parts(way.pixels(), Some(kept.source))))
        };
        let timed = job.compute(make).await?;
        drop(encoded);
        sample.times.add([(Stage::Queue, timed.queued), (Stage::Transform, timed.ran)]);
        let Some(parts) = timed.value.transpose()? else { return Ok(None) };
        permit.shrink_to(parts.bytes.len().into());
        Ok(Some(Finished { parts, permit }))
    }

    /// How pixels are coded, and the memory of the coding and of all that comes before. Coding a whole photo holds it
    /// twice. A photo for which that is too much travels raw.
    fn coded(&self, way: Way, photo: Size, decoding: ByteCount) -> (PixelCoding, ByteCount) {
        let asked = way.pixels();
        if way.cut() != Cut::Decoded || asked == PixelCoding::Raw {
            return (asked, decoding);
        }
        let memory = ByteCount::new(decoding.get() + photo.pixels() * 3);
        if memory <= self.limits.max_sample_memory { (asked, memory) } else { (PixelCoding::Raw, decoding) }
    }
}
