//! Telling the servers the losses of samples.

use headwater_client::{Dataset, ReportedSample};
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;

use crate::errors::{self, argument};
use crate::network::Network;

/// How many losses the servers keep, and of how many samples they know nothing.
pub(crate) type Kept = (u64, u64);

/// Reports one loss for each of these samples.
pub(crate) fn report(
    py: Python<'_>,
    (dataset, network): (&Dataset, &Network),
    samples: Vec<ReportedSample>,
    losses: &PyReadonlyArray1<'_, f32>,
) -> PyResult<Kept> {
    let losses = losses.as_array();
    if losses.len() != samples.len() {
        let message = format!("{} samples and {} losses: give one loss for each", samples.len(), losses.len());
        return Err(argument(message));
    }
    let report: Vec<_> = samples.into_iter().zip(losses.iter().copied()).collect();
    let summary = network.wait(py, dataset.report(&report))?.map_err(|error| errors::server(&error))?;
    Ok((summary.kept, summary.unknown))
}
