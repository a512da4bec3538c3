//! Keys and classes as Python has the names of files: what `os.fsdecode` gives for them.
//!
//! The servers write bytes that are no UTF-8 as characters of their own (`headwater_types::key`), since their texts are
//! UTF-8; Python writes them as lone surrogates. Here the one becomes the other, in both directions, and nowhere else.

use headwater_types::SampleKey;
use headwater_types::key::{from_bytes, has_escapes, to_bytes};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::errors::argument;

/// A key or a class.
pub(crate) struct Name(String);

// === impl Name ===

impl Name {
    /// The sample that has this key.
    pub(crate) fn key(self) -> PyResult<SampleKey> {
        self.0.parse().map_err(argument)
    }
}

impl From<&str> for Name {
    fn from(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl<'py> IntoPyObject<'py> for Name {
    type Target = PyString;
    type Output = Bound<'py, PyString>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        if !has_escapes(&self.0) {
            return Ok(PyString::new(py, &self.0));
        }
        let name = PyBytes::new(py, &to_bytes(&self.0)).into_any();
        PyString::from_encoded_object(&name, Some(c"utf-8"), Some(c"surrogateescape"))
    }
}

impl<'py> FromPyObject<'_, 'py> for Name {
    type Error = PyErr;

    fn extract(name: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let bytes = name.cast::<PyString>()?.call_method1("encode", ("utf-8", "surrogateescape"))?;
        Ok(Self(from_bytes(bytes.cast::<PyBytes>()?.as_bytes()).into_owned()))
    }
}
