//! Samples as features: decoded by the model's workers on the CPU, or ahead of an accelerator, and run through the
//! model.

use std::convert::identity;

use headwater_features::{Device, Extractor, Unfinished};
use headwater_types::{ByteCount, Cut, SampleFailure};

use crate::photo::{Measure, Photo};
use crate::pipeline::Pipeline;
use crate::prepared::Finished;
use crate::recipe_run::RecipeRun;
use crate::request::Call;
use crate::times::timed;
use crate::underway::Underway;

// === impl Pipeline ===

impl Pipeline {
    /// Takes a sample to a model's features. The run is that of the model's own recipe.
    pub(crate) async fn features(
        &self,
        sample: &mut Underway,
        run: RecipeRun,
        model: &Extractor,
        call: &Call,
    ) -> Result<Finished, SampleFailure> {
        let Photo { incoming, _permit } = self.photo(sample, &call.job).await?;
        let Measure { size, memory } = self.measure(&incoming, run.recipe.stages().orientation, &call.job).await?;
        let times = &mut sample.times;
        // The place comes before the memory: a sample that waits for a place holds no memory for decoding.
        let place = timed(&mut times.queue, model.place()).await?;
        let mut permit = timed(&mut times.queue, call.job.decoded(memory)).await?;
        let (address, key, limits) = (run.address, run.key.clone(), run.limits);
        let (measure_cpu, allow_non_finite) = (run.measure_cpu, call.allow_non_finite);
        let payload = match model.device() {
            Device::Cpu => incoming.into(),
            Device::Cuda | Device::TensorRt => {
                run.compute(incoming.into(), Cut::Flipped, identity, (&call.job, times)).await?
            }
        };
        let unfinished = Unfinished { payload, address, key, limits, measure_cpu, allow_non_finite };
        let extracted = place.extract(unfinished).await?;
        times.add_cpu(extracted.cpu);
        times.queue += extracted.queued;
        times.decode += extracted.decode;
        times.transform += extracted.transform;
        times.infer = extracted.infer;
        permit.shrink_to(ByteCount::new(4 * extracted.features.len() as u64));
        Ok(Finished::features(&extracted.features, size, permit))
    }
}
