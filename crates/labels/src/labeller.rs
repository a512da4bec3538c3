//! What labels photos.

use headwater_types::{Digest, ModelName};

/// What labels photos: a model's file, through a recipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labeller {
    /// What the model is called.
    pub model: ModelName,
    /// The labeller as a whole: all that a label depends on, beside the photo.
    pub digest: Digest,
    /// The model's file.
    pub model_digest: Digest,
    /// The recipe that makes the model's input.
    pub recipe: Digest,
    /// The names of the classes, by id; empty where they have none.
    pub classes: Vec<String>,
    /// The most labels of a photo.
    pub top_k: u32,
}
