//! Seed and epoch of a request's samples, as Python says them.

use headwater_client::Addresses;
use headwater_types::{Address, Epoch, Seed};
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;

use crate::errors::argument;

/// The epoch of all samples, or of each.
#[derive(FromPyObject)]
pub(crate) enum Epochs<'py> {
    /// Stands first because PyO3 would also read an array of one number as a number.
    Each(PyReadonlyArray1<'py, u64>),
    All(u64),
}

// === impl Epochs ===

impl Epochs<'_> {
    /// The addresses of so many samples.
    pub(crate) fn addresses(&self, seed: u64, samples: usize) -> PyResult<Addresses> {
        let each = match self {
            Self::All(epoch) => return Ok(Address::new(seed, *epoch).into()),
            Self::Each(each) => each.as_array(),
        };
        if each.len() != samples {
            let message = format!("{} epochs and {samples} indices: give one epoch for each index", each.len());
            return Err(argument(message));
        }
        Ok(Addresses::Each { seed: Seed(seed), epochs: each.iter().map(|&epoch| Epoch(epoch)).collect() })
    }
}
