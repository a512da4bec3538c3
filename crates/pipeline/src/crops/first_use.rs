//! Crops of photos that are not in the index: re-written, kept there and cut.

use std::sync::Arc;

use bytes::Bytes;
use headwater_cache::KindName;
use headwater_image::{CpuMeter, IndexedJpeg, Payload, Scratch};
use headwater_types::{Cut, PixelCoding, SampleFailure};

use crate::cached::worth;
use crate::failure::lost;
use crate::index::{Lookup, PhotoIndex};
use crate::photo::Fetched;
use crate::pipeline::Pipeline;
use crate::prepared::{Finished, Prepared};
use crate::recipe_run::RecipeRun;
use crate::resources::Job;
use crate::times::Stage;
use crate::underway::Underway;

use super::request::CropRequest;

// === impl Pipeline ===

impl Pipeline {
    /// The crop of a photo of which the index knows only this. A photo that has no indexed form, or for which the index
    /// has no room, is delivered as it is stored.
    pub(super) async fn first_use(&self, wanted: CropRequest, lookup: Lookup, job: &Job) -> (usize, Prepared) {
        let CropRequest { place, run, mut sample } = wanted;
        // The times of the look into the index are dropped: a first use counts as if the index had not been asked.
        sample.times.start_again(run.measure_cpu);
        let outcome = self.re_written(&mut sample, run, lookup, job).await;
        (place, sample.end(outcome))
    }

    async fn re_written(
        &self,
        sample: &mut Underway,
        run: RecipeRun,
        lookup: Lookup,
        job: &Job,
    ) -> Result<Finished, SampleFailure> {
        let is_new = self.index.is_some() && lookup == Lookup::Absent && sample.keeps();
        let keep = self.worth_keeping(&[KindName::Encoded], sample).has(KindName::Encoded);
        // Where one kind is chosen of each sample, the stored bytes are kept once there is no indexed form.
        let later = is_new && self.cache.as_ref().is_some_and(|cache| cache.chooses());
        let Fetched { bytes, permit, .. } = self.fetch(sample, keep && !later, job).await?;
        if is_new && let Some(finished) = self.indexed(sample, run, &bytes, job).await? {
            return Ok(finished);
        }
        if keep && later {
            self.keep_stored(sample, &bytes).await;
        }
        Ok(Finished::encoded(bytes, permit))
    }

    /// The crop of a photo that is re-written and kept; `None` where it cannot be, or where there is no room.
    async fn indexed(
        &self,
        sample: &mut Underway,
        run: RecipeRun,
        bytes: &Bytes,
        job: &Job,
    ) -> Result<Option<Finished>, SampleFailure> {
        // A full index is asked for nothing: re-writing the same photos at every epoch would cost more than it saves.
        let has_room = |index: &&Arc<PhotoIndex>| index.room(IndexedJpeg::most_bytes(bytes.len().into())).is_ok();
        let Some(index) = self.index.as_ref().filter(has_room) else { return Ok(None) };
        let Ok(header) = self.header(bytes, run.recipe.stages().orientation, job).await else {
            // The client that decodes the photo will say what is wrong with it.
            return Ok(None);
        };
        // A photo that needs more memory than one sample may have is not re-written: only the reason costs.
        let memory = IndexedJpeg::rewrite_memory(&header, bytes.len().into()).min(self.limits.max_sample_memory);
        let mut decoded = sample.times.during(Stage::Queue, job.decoded(memory)).await?;
        let source = bytes.clone();
        let rewrite = move |scratch: &mut Scratch| {
            let meter = CpuMeter::start(run.measure_cpu);
            let photo = IndexedJpeg::rewrite(&source, &run.limits);
            let crop = photo.clone().ok().map(|photo| run.run(Payload::Indexed(photo), Cut::JpegCrop, scratch));
            (photo, crop, meter.read())
        };
        let timed = job.compute(rewrite).await?;
        sample.times.add([(Stage::Queue, timed.queued), (Stage::Transform, timed.ran)]);
        let (photo, crop, cpu) = timed.value;
        sample.times.add_cpu(cpu);
        let seconds = index.made(bytes.len(), timed.ran, photo.as_ref().ok());
        let worth = worth(self.outlook.as_ref(), sample.index, seconds);
        let (index, key, extent) = (Arc::clone(index), sample.key.clone(), sample.extent.clone());
        let keep = move || index.keep(&key, &extent, photo.as_ref().map_err(|&reason| reason), worth);
        tokio::task::spawn_blocking(keep).await.map_err(|error| lost(&error))?;
        let Some(crop) = crop else { return Ok(None) };
        let parts = crop?.0.into_parts(PixelCoding::Raw, None);
        decoded.shrink_to(parts.bytes.len().into());
        Ok(Some(Finished { parts, permit: decoded }))
    }
}
