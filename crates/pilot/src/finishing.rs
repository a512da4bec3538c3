//! What is done here to a measured sample: its recipe finished, or its features inferred.

use std::sync::Arc;

use headwater_client::{Dataset, Finisher, Sample};
use headwater_types::{CpuSeconds, Recipe, SampleFailure};

use crate::error::PilotError;
use crate::target::{Infer, Making};

pub(crate) enum Finishing<'a> {
    Tensors(Finisher),
    Features(&'a dyn Infer),
}

// === impl Finishing ===

impl<'a> Finishing<'a> {
    pub(crate) fn new(making: Making<'a>, dataset: &Dataset) -> Result<Self, PilotError> {
        match making {
            Making::Tensors(_) => {
                let finisher = Finisher::with(dataset.options());
                Ok(Self::Tensors(finisher.map_err(|error| PilotError::Threads(error.to_string()))?))
            }
            Making::Features { here, .. } => Ok(Self::Features(here)),
        }
    }

    /// Finishes a sample, and says what that took of a core here. What came of it is dropped: only how it went is of
    /// use.
    pub(crate) async fn finish(&self, recipe: &Arc<Recipe>, sample: Sample) -> (Result<(), SampleFailure>, CpuSeconds) {
        match self {
            Self::Tensors(finisher) => {
                let (finished, cpu) = finisher.finish_metered(recipe, sample).await;
                (finished.outcome.map(drop), cpu)
            }
            Self::Features(here) => {
                let (features, cpu) = here.infer(sample).await;
                (features.map(drop), cpu)
            }
        }
    }

    /// Samples underway at once.
    pub(crate) fn at_once(&self) -> usize {
        match self {
            Self::Tensors(finisher) => 2 * finisher.workers(),
            Self::Features(here) => here.at_once(),
        }
    }
}
