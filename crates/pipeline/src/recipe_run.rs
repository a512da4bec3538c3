//! One sample's run through its recipe.

use std::sync::Arc;
use std::time::Duration;

use headwater_image::{CpuMeter, ImageError, Payload, Scratch, advance};
use headwater_types::{Address, Cut, Draws, ImageLimits, Recipe, SampleFailure, SampleKey};

use crate::resources::Job;
use crate::times::{Stage, Track};

/// Everything that it takes to take a sample through its recipe.
#[derive(Clone)]
pub(crate) struct RecipeRun {
    pub(crate) recipe: Arc<Recipe>,
    pub(crate) key: SampleKey,
    pub(crate) address: Address,
    pub(crate) limits: ImageLimits,
    pub(crate) measure_cpu: bool,
}

// === impl RecipeRun ===

impl RecipeRun {
    /// Takes a photo to a cut. Gives the payload, and the part of the time that went into decoding.
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

    /// Makes something of a photo on a CPU worker: what `make` says, with the part of the time that went into decoding.
    pub(crate) async fn compute<T: Send + 'static>(
        self,
        photo: Payload,
        make: impl FnOnce(&Self, Payload, &mut Scratch) -> Result<(T, Duration), ImageError> + Send + 'static,
        (job, times): (&Job, &mut Track),
    ) -> Result<T, SampleFailure> {
        let run = move |scratch: &mut Scratch| {
            let meter = CpuMeter::start(self.measure_cpu);
            let made = make(&self, photo, scratch);
            (made, meter.read())
        };
        let timed = job.compute(run).await?;
        let (made, cpu) = timed.value;
        times.add_cpu(cpu);
        let (made, decode) = made?;
        let rest = timed.ran.saturating_sub(decode);
        times.add([(Stage::Queue, timed.queued), (Stage::Decode, decode), (Stage::Transform, rest)]);
        Ok(made)
    }
}
