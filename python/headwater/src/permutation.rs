//! The order of an epoch, computed at the positions that are asked for.

use headwater_types::{Address, Permutation};
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::errors::argument;

/// The elements at these positions of the permutation of `0..length` that belongs to this seed and epoch.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 gives arguments by value")]
pub(crate) fn permute<'py>(
    py: Python<'py>,
    length: u64,
    seed: u64,
    epoch: u64,
    positions: PyReadonlyArray1<'py, u64>,
) -> PyResult<Bound<'py, PyArray1<u64>>> {
    let positions = positions.as_array().to_vec();
    let elements: Option<Vec<u64>> = py.detach(|| {
        let permutation = Permutation::of_epoch(length, Address::new(seed, epoch));
        positions.into_iter().map(|position| permutation.at(position)).collect()
    });
    let elements = elements.ok_or_else(|| argument(format!("a position is not below the length {length}")))?;
    Ok(PyArray1::from_vec(py, elements))
}
