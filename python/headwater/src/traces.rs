//! Traces of this process, where the standard variables of OpenTelemetry ask for them.

use std::ffi::OsString;
use std::sync::{Mutex, PoisonError};

use headwater_spans::{FLUSH, SettingError, Settings, SpanContext, Tracer};
use pyo3::prelude::*;

use crate::errors::argument;
use crate::process::OfProcess;

/// The tracer of the process that made it. Only whoever has the GIL looks, so that no fork finds it locked.
static TRACER: Mutex<Option<OfProcess<Made>>> = Mutex::new(None);

/// A tracer, and the variables that it was made by: a notebook may set them after it has made a dataset.
struct Made {
    tracer: Tracer,
    variables: Vec<(OsString, OsString)>,
}

// === impl Made ===

impl Made {
    fn tracer(&self) -> Tracer {
        self.tracer.clone()
    }
}

/// A `traceparent` and a `tracestate`.
pub(crate) type Caller = (String, Option<String>);

/// This process's tracer. It traces nothing where a variable cannot be right, of which the dataset has warned.
pub(crate) fn tracer(_: Python<'_>) -> Tracer {
    let (mut made, variables) = (TRACER.lock().unwrap_or_else(PoisonError::into_inner), variables());
    if let Some(made) = made.as_ref().and_then(OfProcess::get).filter(|made| made.variables == variables) {
        return made.tracer.clone();
    }
    let tracer = settings().ok().flatten().map(Tracer::new).unwrap_or_default();
    *made = Some(OfProcess::new(Made { tracer: tracer.clone(), variables }));
    tracer
}

/// Where the reader stands, as it says.
pub(crate) fn caller(caller: Option<Caller>) -> Option<SpanContext> {
    let (parent, state) = caller?;
    SpanContext::read(&parent, state.as_deref())
}

/// Whether this process's calls are traced. ValueError names a variable that cannot be right.
#[pyfunction]
pub(crate) fn traces() -> PyResult<bool> {
    Ok(settings()?.is_some())
}

/// Sends the last spans, for two seconds at most. How many of all no collector has had; None where some still wait.
#[pyfunction]
pub(crate) fn flush_traces(py: Python<'_>) -> Option<u64> {
    let made =
        TRACER.lock().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(OfProcess::get).map(Made::tracer);
    let flushed = py.detach(|| made.unwrap_or_default().flush(FLUSH));
    flushed.in_time.then_some(flushed.lost)
}

fn variables() -> Vec<(OsString, OsString)> {
    let ours = |(name, _): &(OsString, OsString)| name.to_str().is_some_and(|name| name.starts_with("OTEL_"));
    let mut variables: Vec<_> = std::env::vars_os().filter(ours).collect();
    variables.sort();
    variables
}

fn settings() -> PyResult<Option<Settings>> {
    Settings::from_environment("headwater").map_err(|error: SettingError| argument(error))
}
