//! The cores that this process may use.

use pyo3::prelude::*;

/// Whole cores, at least one: of the machine, of this process's affinity, and of its control group's CPU quota.
#[pyfunction]
pub(crate) fn cores() -> usize {
    headwater_image::cores().get()
}
