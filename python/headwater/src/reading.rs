//! What is read of samples, as Python's `Reading` has it, and the request that comes of it.

use std::sync::Arc;

use headwater_client::{Addresses, Dataset, FetchRequest, RowLayout, Ways};
use headwater_types::{ModelName, SampleIndex, Way};
use pyo3::prelude::*;

use crate::errors::{self, argument};
use crate::recipe::Recipe;

/// The attributes of Python's `Reading` that concern servers.
#[derive(FromPyObject)]
pub(crate) struct Reading {
    recipe: Option<Py<Recipe>>,
    /// What rows hold: `tensor` or `pixels`.
    rows: String,
    pub(crate) pixels: String,
    pub(crate) floats: bool,
    pub(crate) seed: u64,
    model: Option<String>,
    /// The dataset's own fields that are asked for.
    columns: Vec<String>,
}

// === impl Reading ===

impl Reading {
    /// The request for these samples, and what its rows hold.
    pub(crate) fn request(
        &self,
        dataset: &Dataset,
        indices: Vec<SampleIndex>,
        ways: Ways,
        addresses: Addresses,
    ) -> PyResult<(FetchRequest, RowLayout)> {
        let takes_features = ways == Ways::All(Way::FEATURES);
        let model: Option<ModelName> = self.model.as_deref().map(str::parse).transpose().map_err(argument)?;
        let layout = if takes_features { features_of(dataset, model.as_ref())? } else { self.layout()? };
        let recipe = self.recipe().filter(|_| !takes_features).map(|recipe| (*recipe).clone());
        let request = FetchRequest {
            indices: indices.into(),
            recipe,
            ways,
            floats: self.floats,
            addresses,
            model: model.filter(|_| takes_features).map(Into::into),
            ordered: true,
            measure_cpu: false,
            fields: self.columns.clone(),
            caller: None,
        };
        Ok((request, layout))
    }

    /// The recipe, where photos are read.
    pub(crate) fn recipe(&self) -> Option<Arc<headwater_types::Recipe>> {
        self.recipe.as_ref().map(|recipe| Arc::clone(recipe.get().inner()))
    }

    fn layout(&self) -> PyResult<RowLayout> {
        let missing = || argument("give a recipe: its name, its TOML, or a torchvision Compose");
        let size = self.recipe().ok_or_else(missing)?.output_size();
        match self.rows.as_str() {
            "tensor" => Ok(RowLayout::Tensor(size)),
            "pixels" => Ok(RowLayout::Pixels(size)),
            other => Err(argument(format!("there is no output {other:?}: use \"tensor\" or \"pixels\""))),
        }
    }
}

fn features_of(dataset: &Dataset, model: Option<&ModelName>) -> PyResult<RowLayout> {
    let missing = || argument("the cut \"features\" needs a model: give model=NAME");
    let model = dataset.model(model.ok_or_else(missing)?).map_err(|error| errors::server(&error))?;
    Ok(RowLayout::Vector(model.feature_len))
}
