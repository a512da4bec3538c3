//! Recipes.

use std::sync::Arc;

use bytes::Bytes;
use headwater_image::{Payload, Scratch, advance};
use headwater_types::{Address, Cut, Draws, Framing, ImageLimits, Size};
use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::arguments;
use crate::errors::{HeadwaterError, RecipeError};
use crate::names::Name;

/// What is done to every photo, from its bytes to the tensor: see `headwater.Recipe` in the stubs.
#[pyclass(frozen, module = "headwater", name = "Recipe")]
#[derive(Debug)]
pub(crate) struct Recipe(Arc<headwater_types::Recipe>);

// === impl Recipe ===

impl Recipe {
    pub(crate) fn inner(&self) -> &Arc<headwater_types::Recipe> {
        &self.0
    }

    pub(crate) fn of(recipe: headwater_types::Recipe) -> Self {
        Self(Arc::new(recipe))
    }
}

#[pymethods]
impl Recipe {
    /// From TOML.
    #[new]
    fn new(toml: &str) -> PyResult<Self> {
        headwater_types::Recipe::from_toml(toml).map(Self::of).map_err(|error| RecipeError::new_err(error.to_string()))
    }

    /// One in the box, by name.
    #[classmethod]
    fn builtin(_class: &Bound<'_, PyType>, name: &str) -> PyResult<Self> {
        headwater_types::Recipe::builtin(name).map(Self::of).ok_or_else(|| {
            let known: Vec<_> = headwater_types::Recipe::builtin_names().collect();
            RecipeError::new_err(format!("there is no recipe {name:?} in the box: there are {}", known.join(", ")))
        })
    }

    /// Names of those in the box.
    #[staticmethod]
    fn builtin_names() -> Vec<&'static str> {
        headwater_types::Recipe::builtin_names().collect()
    }

    #[getter]
    fn name(&self) -> &str {
        self.0.name().as_str()
    }

    #[getter]
    fn digest(&self) -> String {
        self.0.digest().to_string()
    }

    /// (height, width)
    #[getter]
    fn output_size(&self) -> (u32, u32) {
        let size = self.0.output_size();
        (size.height, size.width)
    }

    #[getter]
    fn is_random(&self) -> bool {
        self.0.is_random()
    }

    fn to_toml(&self) -> String {
        self.0.to_toml()
    }

    /// Box (left, top, width, height) and flip of a photo of this size.
    #[pyo3(signature = (width, height, key, *, seed = 0, epoch = 0))]
    fn framing(
        &self,
        #[pyo3(from_py_with = arguments::width)] width: u32,
        #[pyo3(from_py_with = arguments::height)] height: u32,
        key: Name,
        #[pyo3(from_py_with = arguments::seed)] seed: u64,
        #[pyo3(from_py_with = arguments::epoch)] epoch: u64,
    ) -> PyResult<((f64, f64, f64, f64), bool)> {
        let key = key.key()?;
        let draws = Draws { address: Address::new(seed, epoch), key: &key };
        let framing = Framing::new(self.0.stages(), Size { width, height }, &draws);
        let region = framing.region;
        Ok(((region.x, region.y, region.width, region.height), framing.flip))
    }

    /// The finished tensor of a photo that is here: f32 [3, height, width], the bits that servers and clients give.
    #[pyo3(signature = (photo, key, *, seed = 0, epoch = 0))]
    fn finish<'py>(
        &self,
        py: Python<'py>,
        photo: &[u8],
        key: Name,
        #[pyo3(from_py_with = arguments::seed)] seed: u64,
        #[pyo3(from_py_with = arguments::epoch)] epoch: u64,
    ) -> PyResult<Bound<'py, PyAny>> {
        let key = key.key()?;
        let draws = Draws { address: Address::new(seed, epoch), key: &key };
        let payload = Payload::Encoded(Bytes::copy_from_slice(photo));
        let done = py.detach(|| {
            advance(&self.0, payload, Cut::Normalized, &draws, &ImageLimits::of_clients(), &mut Scratch::new())
        });
        match done {
            Ok(Payload::Normalized(tensor)) => {
                let size = tensor.size();
                PyArray1::from_vec(py, tensor.into_values()).call_method1("reshape", ((3, size.height, size.width),))
            }
            Ok(other) => Err(HeadwaterError::new_err(format!("the photo went no further than {}", other.cut()))),
            Err(error) => Err(HeadwaterError::new_err(format!("{key}: {error}"))),
        }
    }

    fn __repr__(&self) -> String {
        format!("<headwater.Recipe {} {}>", self.0.name(), self.0.digest().short())
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.0.digest() == other.0.digest()
    }

    fn __hash__(&self) -> u64 {
        self.0.digest().as_bytes().iter().fold(0, |hash, &byte| hash.rotate_left(8) ^ u64::from(byte))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> (Bound<'py, PyType>, (String,)) {
        (py.get_type::<Self>(), (self.to_toml(),))
    }
}
