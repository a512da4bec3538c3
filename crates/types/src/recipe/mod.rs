//! A recipe: what is done to every photo, stage by stage, from its bytes to the tensor that a network takes.
//!
//! Recipes are written in TOML as an ordered list of stages and told apart by the BLAKE3 digest of their canonical
//! form, in which every default is spelt out, but for those of keys that came later: a digest outlives them. The name
//! is not part of the digest: two names for one recipe are one recipe.
//!
//! ```toml
//! name = "imagenet-train"
//! [[stage]]
//! op = "decode"
//! [[stage]]
//! op = "random-resized-crop"
//! size = 224
//! [[stage]]
//! op = "random-horizontal-flip"
//! [[stage]]
//! op = "to-tensor"
//! [[stage]]
//! op = "normalize"
//! mean = [0.485, 0.456, 0.406]
//! std = [0.229, 0.224, 0.225]
//! ```
//!
//! The grammar is closed on purpose: `decode`, one of four ways to a fixed size, an optional flip, `to-tensor`, an
//! optional `normalize`. Anything after that is the user's own code on the finished tensor.

mod error;
mod name;
mod stages;

mod fields;

mod written;

mod grammar;

mod parse;

mod canonical;

mod builtin;

pub use error::RecipeError;
pub use name::RecipeName;
pub use stages::{DecodeMode, Geometry, Interpolation, Normalize, Orientation, Stages, Steps, TensorScale};

use crate::area::Size;
use crate::digest::Digest;

/// A checked recipe.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    name: RecipeName,
    stages: Stages,
    digest: Digest,
}

// === impl Recipe ===

impl Recipe {
    /// Reads a recipe from TOML.
    pub fn from_toml(text: &str) -> Result<Self, RecipeError> {
        let (name, stages) = parse::recipe(text)?;
        let digest = canonical::digest(&stages);
        Ok(Self { name, stages, digest })
    }

    /// A recipe from the box; `None` where there is none of that name.
    pub fn builtin(name: &str) -> Option<Self> {
        builtin::TEXTS.iter().find(|(known, _)| *known == name).and_then(|(_, text)| Self::from_toml(text).ok())
    }

    /// Names of the recipes in the box.
    pub fn builtin_names() -> impl Iterator<Item = &'static str> {
        builtin::TEXTS.iter().map(|(name, _)| *name)
    }

    /// The recipe's name.
    pub fn name(&self) -> &RecipeName {
        &self.name
    }

    /// The recipe's stages.
    pub fn stages(&self) -> &Stages {
        &self.stages
    }

    /// The digest of its canonical form.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Height and width of what it gives.
    pub fn output_size(&self) -> Size {
        self.stages.geometry.size()
    }

    /// Whether the same photo gives another tensor in another epoch.
    pub fn is_random(&self) -> bool {
        let never_flips = |p: f64| p <= 0.0 || p >= 1.0;
        self.crops_at_random() || !self.stages.flip.is_none_or(never_flips)
    }

    /// Whether the same photo is cropped otherwise in another epoch, whatever a flip does to the crop then.
    pub fn crops_at_random(&self) -> bool {
        matches!(self.stages.geometry, Geometry::RandomResizedCrop { .. })
    }

    /// The canonical form: TOML which reads back as the same recipe.
    pub fn to_toml(&self) -> String {
        format!("name = \"{}\"\n{}", self.name, canonical::text(&self.stages))
    }
}
