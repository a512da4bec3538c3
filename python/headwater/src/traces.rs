//! Traces of this process, where the standard variables of OpenTelemetry ask for them.

use std::sync::{Mutex, PoisonError};

use headwater_spans::{FLUSH, SettingError, Settings, SpanContext, Tracer};
use pyo3::prelude::*;

use crate::errors::argument;
use crate::process::OfProcess;

/// The tracer of the process that made it. Only whoever has the GIL looks, so that no fork finds it locked.
static TRACER: Mutex<Option<OfProcess<Tracer>>> = Mutex::new(None);

/// A `traceparent` and a `tracestate`.
pub(crate) type Caller = (String, Option<String>);

/// This process's tracer. ValueError names a variable that cannot be right.
pub(crate) fn tracer(_: Python<'_>) -> PyResult<Tracer> {
    let mut tracer = TRACER.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(tracer) = tracer.as_ref().and_then(OfProcess::get) {
        return Ok(tracer.clone());
    }
    let new = settings()?.map(Tracer::new).unwrap_or_default();
    *tracer = Some(OfProcess::new(new.clone()));
    Ok(new)
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
pub(crate) fn flush_traces(py: Python<'_>) -> PyResult<Option<u64>> {
    let tracer = tracer(py)?;
    let flushed = py.detach(|| tracer.flush(FLUSH));
    Ok(flushed.in_time.then_some(flushed.lost))
}

fn settings() -> PyResult<Option<Settings>> {
    Settings::from_environment("headwater").map_err(|error: SettingError| argument(error))
}
