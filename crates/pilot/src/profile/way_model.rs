//! What samples take at one way, as a model of what their headers say.

use headwater_plan::Fit;
use headwater_types::Way;

use super::quantity::Quantity;
use crate::features::Features;
use crate::model::{Error, Model};

/// The models of a way and their errors, both in the order of the quantities.
pub(super) struct WayModel {
    models: [Model; 3],
    errors: [Error; 3],
}

// === impl WayModel ===

impl WayModel {
    /// Fits a model to the observations of each quantity at a way.
    pub(super) fn fit<'a>(observations: impl Fn(Quantity) -> Vec<(&'a Features, f64)>) -> Self {
        let fitted = Quantity::ALL.map(|quantity| Model::fit(&observations(quantity)));
        let errors = fitted.each_ref().map(|(_, error)| error.clone());
        Self { models: fitted.map(|(model, _)| model), errors }
    }

    /// What a sample takes at the way, in the order of the quantities.
    pub(super) fn predict(&self, features: &Features) -> [f64; 3] {
        self.models.each_ref().map(|model| model.predict(features))
    }

    /// How far the predictions for the way are off, after so many measured samples.
    pub(super) fn fit_of(&self, way: Way, measured: usize) -> Fit {
        let [bytes, storage, trainer] = &self.errors;
        let measured = Some(measured as u64);
        Fit {
            way,
            measured,
            bytes: bytes.relative,
            storage_seconds: storage.relative,
            trainer_seconds: trainer.relative,
        }
    }
}
