//! What this process may use of its machine.

use pyo3::prelude::*;

use crate::errors::CacheError;

/// Whole cores, at least one: of the machine, of this process's affinity, and of its control group's CPU quota.
#[pyfunction]
pub(crate) fn cores() -> usize {
    headwater_image::cores().get()
}

/// Bytes of memory that are free: of the machine's, and of what its control groups leave.
#[pyfunction]
pub(crate) fn free_memory() -> PyResult<u64> {
    let free = headwater_cache::free_memory();
    free.map(|free| free.get()).map_err(|error| CacheError::new_err(format!("looking what memory is free: {error}")))
}
