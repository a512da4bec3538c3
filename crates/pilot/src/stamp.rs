//! What a plan or a profile is of, held against what is streamed.

use headwater_client::Dataset;
use headwater_plan::{Plan, Profile};
use headwater_types::{Digest, Recipe};

/// The dataset and the recipe of a plan or a profile, as far as it names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    samples: u64,
    dataset: Option<Digest>,
    recipe: Option<Digest>,
}

// === impl Stamp ===

impl Stamp {
    /// Whether this dataset has as many samples.
    pub fn is_of_length(&self, dataset: &Dataset) -> bool {
        self.samples == dataset.len()
    }

    /// Whether this is the dataset, from the same servers in the same order. A stamp that names no dataset is of every
    /// dataset of its length.
    pub fn is_of_dataset(&self, dataset: &Dataset) -> bool {
        self.is_of_length(dataset) && self.dataset.is_none_or(|digest| digest == dataset.digest())
    }

    /// Whether this is the recipe. A stamp that names no recipe is of every recipe.
    pub fn is_of_recipe(&self, recipe: &Recipe) -> bool {
        self.recipe.is_none_or(|digest| digest == recipe.digest())
    }
}

impl From<&Plan> for Stamp {
    fn from(plan: &Plan) -> Self {
        let (dataset, recipe) = (plan.inputs.dataset_digest, plan.inputs.recipe_digest);
        Self { samples: plan.len() as u64, dataset, recipe }
    }
}

impl From<&Profile> for Stamp {
    fn from(profile: &Profile) -> Self {
        let provenance = profile.provenance();
        let recipe = provenance.recipe.as_ref().map(|recipe| recipe.digest);
        Self { samples: profile.len() as u64, dataset: provenance.dataset_digest, recipe }
    }
}
