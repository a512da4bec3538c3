//! Samples as pixels or floats: decoded, and taken through the recipe on a CPU worker.

use headwater_image::Payload;
use headwater_types::{ByteCount, Cut, PixelCoding, SampleFailure, Size, Way};

use crate::photo::{Measure, Photo};
use crate::pipeline::Pipeline;
use crate::prepared::Finished;
use crate::recipe_run::RecipeRun;
use crate::resources::Job;
use crate::times::timed;
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
        let Photo { incoming, _permit } = self.photo(sample, job).await?;
        let Measure { size, memory } = self.measure(&incoming, run.recipe.stages().orientation, job).await?;
        let (coding, memory) = self.coded(way, size, memory);
        let mut permit = timed(&mut sample.times.queue, job.decoded(memory)).await?;
        let apart = move |payload: Payload| payload.into_parts(coding, Some(size));
        let parts = run.compute(incoming.into(), way.cut(), apart, (job, &mut sample.times)).await?;
        // Decoding needed more than what came of it.
        permit.shrink_to(parts.bytes.len().into());
        Ok(Finished { parts, permit })
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
