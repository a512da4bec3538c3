//! The cores that this process may use: of its machine, of its affinity, and of its cgroup's CPU quota.

use std::num::NonZeroUsize;
use std::thread;

use pyo3::prelude::*;

/// Whole cores, at least one.
#[pyfunction]
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}
