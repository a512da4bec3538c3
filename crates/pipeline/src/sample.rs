//! The path of a sample, from what is wanted to what came of it.

use std::sync::Arc;

use headwater_cache::KindName;
use headwater_types::{Recipe, SampleFailure};

use crate::crops::CropRequest;
use crate::photo::Fetched;
use crate::pipeline::Pipeline;
use crate::prepared::{Finished, Prepared};
use crate::recipe_run::RecipeRun;
use crate::request::{Call, SampleRequest, Wanted};
use crate::resources::Job;
use crate::underway::Underway;

// === impl Pipeline ===

impl Pipeline {
    /// Prepares samples of a call: one by one, but for crops of JPEGs, which are made together. They come back in their
    /// order. Dropping the future ends the work at the next stage.
    pub async fn prepare(&self, run: &[SampleRequest], call: &Call) -> Vec<Prepared> {
        let (mut prepared, mut crops) = (Vec::with_capacity(run.len()), Vec::new());
        for (place, request) in run.iter().enumerate() {
            let mut sample = match self.set_out(request.index, (call.measure_cpu, call.keep)) {
                Ok(sample) => sample,
                Err(failure) => {
                    prepared.push((place, Prepared::failed(request.index, failure)));
                    continue;
                }
            };
            if call.traced {
                sample.times.follow();
            }
            let through = |recipe: &Arc<Recipe>| RecipeRun {
                recipe: Arc::clone(recipe),
                key: sample.key.clone(),
                address: request.address,
                limits: self.limits,
                measure_cpu: call.measure_cpu,
            };
            let outcome = match &request.wanted {
                Wanted::JpegCrop(recipe) => {
                    let run = through(recipe);
                    crops.push(CropRequest { place, run, sample });
                    continue;
                }
                Wanted::Stored => self.stored(&mut sample, &call.job).await,
                Wanted::Pixels { recipe, way } => {
                    let run = through(recipe);
                    self.pixels(&mut sample, run, *way, &call.job).await
                }
                Wanted::Features { model, coded } => {
                    let run = through(model.recipe());
                    self.features(&mut sample, run, (model, *coded), call).await
                }
            };
            prepared.push((place, sample.end(outcome)));
        }
        prepared.extend(self.crops(crops, &call.job).await);
        prepared.sort_unstable_by_key(|(place, _)| *place);
        prepared.into_iter().map(|(_, sample)| sample.within(call.max_payload)).collect()
    }

    async fn stored(&self, sample: &mut Underway, job: &Job) -> Result<Finished, SampleFailure> {
        let keep = self.worth_keeping(&[KindName::Encoded], sample).has(KindName::Encoded);
        let Fetched { bytes, permit, .. } = self.fetch(sample, keep, job).await?;
        Ok(Finished::encoded(bytes, permit))
    }
}
