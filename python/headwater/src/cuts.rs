//! How samples travel, as a request of Python says it.

use std::sync::Arc;

use headwater_client::{Listener, Ways};
use headwater_types::{PixelCoding, Way};
use pyo3::prelude::*;

use crate::errors::argument;
use crate::pilot::{Pilot, Watch};
use crate::plan::Plan;

/// How samples travel: one cut for all by its name, a plan, or a plan that is planned anew on the way.
#[derive(FromPyObject)]
pub(crate) enum Cuts {
    All(String),
    Plan(Py<Plan>),
    Live(Py<Pilot>),
}

// === impl Cuts ===

impl Cuts {
    /// The ways that a request asks for. `pixels` is the coding of one cut for all: a plan says itself how pixels are
    /// coded.
    pub(crate) fn ways(&self, pixels: &str, floats: bool) -> PyResult<Ways> {
        let coding: PixelCoding = pixels.parse().map_err(argument)?;
        match self {
            Self::All(name) => Ok(Way::asked(name.parse().map_err(argument)?, coding, floats).into()),
            Self::Live(pilot) => pilot.get().ways(),
            Self::Plan(plan) => Ok(Ways::PerSample(Arc::clone(&plan.get().ways))),
        }
    }

    /// The listener that hears how batches come, where a plan is planned anew.
    pub(crate) fn listener(&self) -> PyResult<Option<Arc<dyn Listener>>> {
        match self {
            Self::Live(pilot) => pilot.get().listener().map(Some),
            Self::All(_) | Self::Plan(_) => Ok(None),
        }
    }

    /// What may fail beside the batches, where a plan is planned anew.
    pub(crate) fn watch(&self) -> PyResult<Option<Arc<Watch>>> {
        match self {
            Self::Live(pilot) => pilot.get().watch().map(Some),
            Self::All(_) | Self::Plan(_) => Ok(None),
        }
    }
}
