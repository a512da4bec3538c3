//! A sample of a run of crops.

use headwater_types::SampleFailure;

use crate::prepared::{Finished, Prepared};
use crate::recipe_run::RecipeRun;
use crate::underway::Underway;

/// A crop that is wanted, and its place in the run.
pub(crate) struct CropRequest {
    pub(crate) place: usize,
    pub(crate) run: RecipeRun,
    pub(crate) sample: Underway,
}

// === impl CropRequest ===

impl CropRequest {
    /// The sample at the end of its way.
    pub(super) fn end(self, outcome: Result<Finished, SampleFailure>) -> (usize, Prepared) {
        (self.place, self.sample.end(outcome))
    }
}
