//! What is asked of the pipeline: a sample, and what is to become of it.

use std::sync::Arc;

use headwater_features::Extractor;
use headwater_types::{Address, ByteCount, Cut, Form, PixelCoding, Recipe, SampleIndex, Way};

use crate::resources::Job;

/// One sample of a call.
#[derive(Clone)]
pub struct SampleRequest {
    /// The sample's place in the partition.
    pub index: SampleIndex,
    /// The address of its pass's randomness: samples of one call, and repeats of one sample, may each have their own.
    pub address: Address,
    /// What is to become of it.
    pub wanted: Wanted,
}

/// What is to become of a sample, with everything that it takes.
#[derive(Clone)]
pub enum Wanted {
    /// The photo as it is stored.
    Stored,
    /// A smaller JPEG of the recipe's crop.
    JpegCrop(Arc<Recipe>),
    /// Pixels or floats at a cut of the recipe.
    Pixels {
        /// What is done to the photo.
        recipe: Arc<Recipe>,
        /// How far it is taken, and how pixels may be coded.
        way: Way,
    },
    /// Features by a model, whose own recipe holds.
    Features {
        /// The model, or the front of one.
        model: Arc<Extractor>,
        /// Whether they travel coded, where that makes them shorter.
        coded: bool,
    },
}

/// What all samples of a call have in common.
#[derive(Clone)]
pub struct Call {
    /// The job that the samples belong to.
    pub job: Job,
    /// Whether the CPU time of each sample is measured.
    pub measure_cpu: bool,
    /// The longest payload that may come of a sample.
    pub max_payload: ByteCount,
    /// Whether features that are not finite are wanted all the same, and no failure.
    pub allow_non_finite: bool,
    /// Whether what is read and made may be kept; not where another server is the samples' home.
    pub keep: bool,
    /// Whether it is noted where the time of each sample lies.
    pub traced: bool,
}

/// What a cut needs and was not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WantedError {
    /// The cut takes the sample through a recipe.
    #[error("cuts between encoded and features need a recipe")]
    NoRecipe,
    /// The cut runs a model.
    #[error("the cut features needs a model")]
    NoModel,
}

// === impl Wanted ===

impl Wanted {
    /// Features by a model, as they are.
    pub fn features(model: &Arc<Extractor>) -> Self {
        Self::Features { model: Arc::clone(model), coded: false }
    }

    /// What a sample that travels this way is to become.
    ///
    /// # Errors
    /// A cut that needs a recipe or a model, where there is none.
    pub fn new(way: Way, recipe: Option<&Arc<Recipe>>, model: Option<&Arc<Extractor>>) -> Result<Self, WantedError> {
        let recipe = || recipe.cloned().ok_or(WantedError::NoRecipe);
        Ok(match way.cut().form() {
            Form::Stored => Self::Stored,
            Form::Crop => Self::JpegCrop(recipe()?),
            Form::Photo | Form::Pixels | Form::Floats => Self::Pixels { recipe: recipe()?, way },
            Form::Features => {
                let coded = way.pixels() == PixelCoding::Lossless;
                Self::Features { model: Arc::clone(model.ok_or(WantedError::NoModel)?), coded }
            }
        })
    }

    /// How far the sample is to be taken.
    pub fn cut(&self) -> Cut {
        match self {
            Self::Stored => Cut::Encoded,
            Self::JpegCrop(_) => Cut::JpegCrop,
            Self::Pixels { way, .. } => way.cut(),
            Self::Features { .. } => Cut::Features,
        }
    }

    /// How the sample is to travel.
    pub fn way(&self) -> Way {
        match self {
            Self::Features { coded: true, .. } => Way::FEATURES_LOSSLESS,
            Self::Stored | Self::JpegCrop(_) | Self::Features { .. } => Way::raw(self.cut()),
            Self::Pixels { way, .. } => *way,
        }
    }

    /// The recipe that the sample goes through; for features the model has its own.
    pub fn recipe(&self) -> Option<&Arc<Recipe>> {
        match self {
            Self::JpegCrop(recipe) | Self::Pixels { recipe, .. } => Some(recipe),
            Self::Stored | Self::Features { .. } => None,
        }
    }

    /// The model that is to be run on the sample.
    pub fn model(&self) -> Option<&Arc<Extractor>> {
        match self {
            Self::Features { model, .. } => Some(model),
            Self::Stored | Self::JpegCrop(_) | Self::Pixels { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cut_is_wanted_as_itself_or_says_what_it_lacks() {
        let recipe = Recipe::builtin("imagenet-train").map(Arc::new);
        for cut in Cut::ALL {
            let alone = Wanted::new(Way::raw(cut), None, None);
            let with_recipe = Wanted::new(Way::raw(cut), recipe.as_ref(), None);
            match cut {
                Cut::Encoded => assert_eq!(alone.unwrap().cut(), cut),
                Cut::Features => assert_eq!(with_recipe.err(), Some(WantedError::NoModel)),
                _ => {
                    assert_eq!(alone.err(), Some(WantedError::NoRecipe), "{cut}");
                    assert_eq!(with_recipe.unwrap().cut(), cut);
                }
            }
        }
    }
}
