//! Finished batches, as NumPy arrays that own their memory: no copy between the threads that wrote them and Python.

use std::sync::{Arc, Mutex, PoisonError};

use headwater_client::{Batch, BatchStream, RowLayout};
use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::columns;
use crate::errors::{self, HeadwaterError};
use crate::names::Name;
use crate::network::Network;
use crate::pilot::Watch;
use crate::process::OfProcess;

/// Batches on their way. Not to be shared between threads: the second waits for the first.
#[pyclass(frozen, module = "headwater._headwater")]
pub(crate) struct Batches(OfProcess<Inner>);

struct Inner {
    /// `None` once it has ended or was closed.
    stream: Mutex<Option<BatchStream>>,
    layout: RowLayout,
    /// The number of the dataset's own fields that are asked for.
    fields: usize,
    network: Arc<Network>,
    /// Where a plan is watched.
    watch: Option<Arc<Watch>>,
}

/// Values, indices, labels (-1: none), keys, (row, kind, message) of those that failed, and the fields' columns.
type Given<'py> = (
    Bound<'py, PyAny>,
    Bound<'py, PyArray1<u64>>,
    Bound<'py, PyArray1<i64>>,
    Vec<Option<Name>>,
    Vec<(usize, &'static str, String)>,
    Vec<Bound<'py, PyList>>,
);

// === impl Batches ===

impl Batches {
    pub(crate) fn new(
        stream: BatchStream,
        (layout, fields): (RowLayout, usize),
        network: Arc<Network>,
        watch: Option<Arc<Watch>>,
    ) -> Self {
        Self(OfProcess::new(Inner { stream: Mutex::new(Some(stream)), layout, fields, network, watch }))
    }
}

#[pymethods]
impl Batches {
    /// The next batch, or None at the end.
    fn next<'py>(&self, py: Python<'py>) -> PyResult<Option<Given<'py>>> {
        let inner = self.0.get().ok_or_else(|| {
            HeadwaterError::new_err("an iterator does not survive a fork: make it in the process that reads it")
        })?;
        inner.watch.as_ref().map_or(Ok(()), |watch| watch.check())?;
        let reading = async {
            let mut stream = inner.stream.lock().unwrap_or_else(PoisonError::into_inner).take();
            let next = match &mut stream {
                Some(stream) => stream.next().await,
                None => None,
            };
            (stream, next)
        };
        // What is taken out is put back below; a wait that a signal ends drops the stream, and with it its calls.
        let (stream, next) = inner.network.wait(py, reading)?;
        match next {
            None => Ok(None),
            Some(Err(error)) => Err(errors::server(&error)),
            Some(Ok(batch)) => {
                *inner.stream.lock().unwrap_or_else(PoisonError::into_inner) = stream;
                give(py, batch, inner.layout, inner.fields).map(Some)
            }
        }
    }

    /// Ends its calls.
    fn close(&self, py: Python<'_>) {
        if let Some(inner) = self.0.get() {
            py.detach(|| drop(inner.stream.lock().unwrap_or_else(PoisonError::into_inner).take()));
        }
    }
}

fn give(py: Python<'_>, batch: Batch, layout: RowLayout, fields: usize) -> PyResult<Given<'_>> {
    let Batch { values, mut rows } = batch;
    let columns = columns::of(py, &mut rows, fields)?;
    let values = PyArray1::from_vec(py, values);
    let length = rows.len();
    let values = match layout {
        RowLayout::Tensor(size) => {
            let shape = (length, 3, size.height, size.width);
            values.call_method1("view", ("float32",))?.call_method1("reshape", (shape,))?
        }
        RowLayout::Pixels(size) => values.call_method1("reshape", ((length, size.height, size.width, 3),))?,
        RowLayout::Vector(len) => {
            values.call_method1("view", ("float32",))?.call_method1("reshape", ((length, len),))?
        }
    };
    let indices = rows.iter().map(|row| row.index.0).collect();
    let labels = rows.iter().map(|row| row.label.map_or(-1, |label| i64::from(label.0))).collect();
    let keys = rows.iter().map(|row| row.key.as_ref().map(|key| Name::from(key.as_str()))).collect();
    let failures = rows.into_iter().enumerate().filter_map(|(at, row)| {
        let failure = row.failure?;
        Some((at, failure.kind.as_str(), failure.message))
    });
    Ok((values, PyArray1::from_vec(py, indices), PyArray1::from_vec(py, labels), keys, failures.collect(), columns))
}
