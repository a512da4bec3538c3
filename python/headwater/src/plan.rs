//! Plans: a way for each sample of a dataset.

use std::sync::Arc;

use headwater_types::Way;
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;

use crate::errors::HeadwaterError;

/// A plan file, read.
#[pyclass(frozen, module = "headwater._headwater")]
pub(crate) struct Plan {
    pub(crate) ways: Arc<[Way]>,
    algorithm: String,
    dataset: Option<String>,
    recipe: Option<String>,
    counts: Vec<(String, u64)>,
    seconds: f64,
}

#[pymethods]
impl Plan {
    /// From the file's content.
    #[new]
    fn new(py: Python<'_>, content: &[u8]) -> PyResult<Self> {
        let plan = py.detach(|| headwater_plan::Plan::parse(content));
        let plan = plan.map_err(|error| HeadwaterError::new_err(error.to_string()))?;
        if let Some(model) = &plan.inputs.model {
            let message =
                format!("it is for features of the model {model}, and datasets give tensors: plan without --model");
            return Err(HeadwaterError::new_err(message));
        }
        Ok(Self {
            ways: plan.iter().collect(),
            algorithm: plan.algorithm.to_string(),
            dataset: plan.inputs.dataset_digest.map(|digest| digest.to_string()),
            recipe: plan.inputs.recipe_digest.map(|digest| digest.to_string()),
            counts: plan.counts().into_iter().map(|(way, count)| (way.to_string(), count)).collect(),
            seconds: plan.prediction.epoch,
        })
    }

    /// The plan for a later generation of so many samples. `places` says for each sample of this one where it is in
    /// that; higher numbers are of samples that are gone. Samples that are known keep their way, and others take the
    /// one that most have. With it, how many are known.
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 gives arguments by value")]
    fn carried(&self, places: PyReadonlyArray1<'_, u64>, samples: usize) -> PyResult<(Self, usize)> {
        let most = self.counts.iter().max_by_key(|(_, count)| *count).and_then(|(way, _)| way.parse().ok());
        let mut ways = vec![most.unwrap_or(Way::ENCODED); samples];
        let mut known = 0;
        for (way, place) in self.ways.iter().zip(places.as_slice()?) {
            if let Some(there) = usize::try_from(*place).ok().and_then(|place| ways.get_mut(place)) {
                (*there, known) = (*way, known + 1);
            }
        }
        let mut counts = Vec::new();
        for (name, way) in self.counts.iter().filter_map(|(name, _)| Some((name, name.parse::<Way>().ok()?))) {
            counts.push((name.clone(), ways.iter().filter(|other| **other == way).count() as u64));
        }
        let (algorithm, dataset, recipe) = (self.algorithm.clone(), None, self.recipe.clone());
        Ok((Self { ways: ways.into(), algorithm, dataset, recipe, counts, seconds: self.seconds }, known))
    }

    fn __len__(&self) -> usize {
        self.ways.len()
    }

    /// Who decided: optimal, sophon, minimum-bytes or static:WAY.
    #[getter]
    fn algorithm(&self) -> &str {
        &self.algorithm
    }

    /// Digest of the dataset that it is for, where it says so.
    #[getter]
    fn dataset(&self) -> Option<&str> {
        self.dataset.as_deref()
    }

    /// Digest of the recipe that it was made for, where it says so.
    #[getter]
    fn recipe(&self) -> Option<&str> {
        self.recipe.as_deref()
    }

    /// Samples of each way that has any.
    #[getter]
    fn counts(&self) -> Vec<(String, u64)> {
        self.counts.clone()
    }

    /// Predicted seconds of an epoch.
    #[getter]
    fn seconds(&self) -> f64 {
        self.seconds
    }
}
