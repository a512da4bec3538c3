//! Which samples of a share stand in others' places: see `substitution.py`.

use std::sync::{Mutex, PoisonError};

use headwater_policy::substitute;
use numpy::{IntoPyArray as _, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;

/// One share of an epoch: [`substitute::Substitution`].
#[pyclass(frozen, module = "headwater._headwater")]
pub(crate) struct Substitution(Mutex<substitute::Substitution>);

// === impl Substitution ===

#[pymethods]
impl Substitution {
    /// Which places are of low importance, and which were used before.
    #[new]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 gives arguments by value")]
    fn new(low: PyReadonlyArray1<'_, bool>, used: PyReadonlyArray1<'_, bool>) -> Self {
        Self(Mutex::new(substitute::Substitution::new(&low.as_array().to_vec(), &used.as_array().to_vec())))
    }

    /// The places of which must be known whether they are cached, to choose for those from `begin` to `end`.
    fn asks<'py>(&self, py: Python<'py>, begin: u32, end: u32) -> Bound<'py, PyArray1<i64>> {
        let places = self.0.lock().unwrap_or_else(PoisonError::into_inner).asks(begin..end);
        places.into_iter().map(i64::from).collect::<Vec<_>>().into_pyarray(py)
    }

    /// What stands in each place from `begin` to `end`, -1 for its own sample; `cached`: the places that are, in order.
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 gives arguments by value")]
    fn choose<'py>(
        &self,
        py: Python<'py>,
        begin: u32,
        end: u32,
        cached: PyReadonlyArray1<'_, i64>,
    ) -> Bound<'py, PyArray1<i64>> {
        let (cached, mut share) = (cached.as_array().to_vec(), self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let is_cached = |place| cached.binary_search(&i64::from(place)).is_ok();
        let chosen = (begin..end).map(|place| share.choose(place, is_cached).map_or(-1, i64::from));
        chosen.collect::<Vec<_>>().into_pyarray(py)
    }
}
