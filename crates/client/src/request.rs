//! What is asked of a dataset: which samples, how far, with which randomness.

use headwater_spans::SpanContext;
use headwater_types::{Address, ModelName, Recipe, Way};

use crate::addresses::Addresses;
use crate::asked_model::AskedModel;
use crate::indices::Indices;
use crate::ways::Ways;

/// Which samples, how far, in which order.
#[derive(Clone, Debug)]
pub struct FetchRequest {
    /// Which samples. An index named twice is delivered twice: as the same bits, or as the address of each place says.
    pub indices: Indices,
    /// What is done to them. May be `None` at the cut `encoded`, and where `model` gives the recipe.
    pub recipe: Option<Recipe>,
    /// How samples travel.
    pub ways: Ways,
    /// Whether the cuts `tensor` and `normalized` must travel as floats. Where not, servers send them as the u8 pixels
    /// of `flipped`: a quarter of the bytes, from which a [`Finisher`](crate::Finisher) makes the same tensor.
    pub floats: bool,
    /// The addresses of the samples' randomness.
    pub addresses: Addresses,
    /// The model, for the cut `features`.
    pub model: Option<AskedModel>,
    /// Whether samples come in the order in which they were asked for, or as they arrive. In order, servers whose
    /// samples come later wait once the window is full.
    pub ordered: bool,
    /// Whether servers say of each sample how much CPU time it took ([`Sample::cpu`](crate::Sample)).
    pub measure_cpu: bool,
    /// The names of the fields that come with each sample ([`Sample::fields`](crate::Sample)): see
    /// [`Dataset::fields`](crate::Dataset::fields).
    pub fields: Vec<String>,
    /// The trace in which the reader is, which goes on with the calls; `None` where they begin traces of their own.
    pub caller: Option<SpanContext>,
}

// === impl FetchRequest ===

impl FetchRequest {
    /// Features of these samples from a model, as they arrive.
    pub fn features(indices: impl Into<Indices>, model: ModelName) -> Self {
        Self {
            indices: indices.into(),
            recipe: None,
            ways: Way::FEATURES.into(),
            floats: true,
            addresses: Address::default().into(),
            model: Some(model.into()),
            ordered: false,
            measure_cpu: false,
            fields: Vec::new(),
            caller: None,
        }
    }
}
