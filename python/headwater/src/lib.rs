//! `headwater._headwater`: what the Python package has in Rust. Network, checksums, retries and the rest of the recipe
//! run here, on threads of their own, without the GIL.
//!
//! Invariants: nothing is started before it is needed, and nothing that was started in one process is touched in
//! another, so that a process that forks has workers that work; a wait lets Python's signals through ten times a
//! second; arrays that are given to Python belong to it alone.
//!
//! Never here: which samples to take in which order, and everything else that Python can say as well: see
//! `py/headwater`.

mod arguments;
mod errors;
mod machine;
mod names;
mod texts;

mod log;
mod network;
mod process;
mod traces;

mod permutation;
mod substitution;

mod plan;
mod profile;
mod recipe;

mod pilot;

mod access;
mod cuts;
mod epochs;
mod reading;
mod transport;

mod columns;

mod announced;
mod batches;
mod losses;
mod sketch;

mod client;

mod datasets;
mod labels;

mod node_cache;

use headwater_types::Cut;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

#[pymodule]
mod _headwater {
    #[pymodule_export]
    use super::announced::Announcement;
    #[pymodule_export]
    use super::batches::Batches;
    #[pymodule_export]
    use super::client::Client;
    #[pymodule_export]
    use super::datasets::datasets;
    #[pymodule_export]
    use super::errors::{AccessError, CacheError, GenerationError, HeadwaterError, RecipeError, ServerError};
    #[pymodule_export]
    use super::labels::{label_counts, labels};
    #[pymodule_export]
    use super::machine::{cores, free_memory};
    #[pymodule_export]
    use super::node_cache::{NodeCache, cache_table_bytes, remove_orphans};
    #[pymodule_export]
    use super::permutation::permute;
    #[pymodule_export]
    use super::pilot::Pilot;
    #[pymodule_export]
    use super::plan::Plan;
    #[pymodule_export]
    use super::profile::Profile;
    #[pymodule_export]
    use super::recipe::Recipe;
    #[pymodule_export]
    use super::substitution::Substitution;
    #[pymodule_export]
    use super::texts::{bandwidth, check_place, size};
    #[pymodule_export]
    use super::traces::{flush_traces, traces};
    use super::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        log::install();
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        module.add("CUTS", PyTuple::new(module.py(), Cut::ALL.map(Cut::as_str))?)
    }
}
