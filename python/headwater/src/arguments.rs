//! Whole numbers from Python, refused in words of the argument: PyO3's own are of conversions and overflows.

use headwater_types::caps::MAX_DIMENSION;
use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBool;

pub(crate) fn seed(value: &Bound<'_, PyAny>) -> PyResult<u64> {
    whole("seed", value, 0, u64::MAX)
}

pub(crate) fn epoch(value: &Bound<'_, PyAny>) -> PyResult<u64> {
    whole("epoch", value, 0, u64::MAX)
}

pub(crate) fn width(value: &Bound<'_, PyAny>) -> PyResult<u32> {
    side("width", value)
}

pub(crate) fn height(value: &Bound<'_, PyAny>) -> PyResult<u32> {
    side("height", value)
}

fn side(name: &str, value: &Bound<'_, PyAny>) -> PyResult<u32> {
    whole(name, value, 1, MAX_DIMENSION.into()).map(|side| u32::try_from(side).unwrap_or(MAX_DIMENSION))
}

fn whole(name: &str, value: &Bound<'_, PyAny>, least: u64, most: u64) -> PyResult<u64> {
    let shown = || value.repr().map_or_else(|_| "?".to_owned(), |repr| repr.to_string());
    let outside = || PyValueError::new_err(format!("{name}={}: give a whole number from {least} to {most}", shown()));
    if value.is_instance_of::<PyBool>() {
        return Err(PyTypeError::new_err(format!("{name}={}: give a whole number, {least} or more", shown())));
    }
    match value.extract::<u64>() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        Ok(_) => Err(outside()),
        Err(error) if error.is_instance_of::<PyOverflowError>(value.py()) => Err(outside()),
        Err(_) => Err(PyTypeError::new_err(format!("{name}={}: give a whole number, {least} or more", shown()))),
    }
}
