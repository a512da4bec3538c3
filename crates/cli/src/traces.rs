//! Traces, where the standard variables of OpenTelemetry ask for them: see the crate `headwater-spans`.

use std::sync::OnceLock;

use headwater_spans::{FLUSH, Flushed, SettingError, Settings, Tracer};

use crate::exit::UsageError;

static TRACER: OnceLock<Tracer> = OnceLock::new();

/// Begins to export traces of this program, where variables ask for it.
///
/// # Errors
/// A variable that cannot be right.
pub fn install(program: &str) -> anyhow::Result<()> {
    let Some(settings) = settings(program)? else { return Ok(()) };
    let collector = settings.endpoint();
    tracing::info!(%collector, "traces");
    // Who installs it twice has the first.
    let _ = TRACER.set(Tracer::new(settings));
    Ok(())
}

/// Reads the variables.
///
/// # Errors
/// One that cannot be right: as a mistake in the arguments is.
pub(crate) fn settings(program: &str) -> Result<Option<Settings>, UsageError> {
    Settings::from_environment(program).map_err(|error: SettingError| UsageError(error.to_string()))
}

/// What begins this program's traces: none, unless they were installed.
pub fn tracer() -> Tracer {
    TRACER.get().cloned().unwrap_or_default()
}

/// Sends the last spans, for two seconds at most, and says how many of all no collector has had.
pub(crate) fn end() {
    let Some(tracer) = TRACER.get() else { return };
    let Flushed { in_time, lost } = tracer.flush(FLUSH);
    if !in_time {
        tracing::warn!(lost, "spans of traces have not come to their collector, besides those that still wait");
    } else if lost > 0 {
        tracing::warn!(lost, "spans of traces have not come to their collector");
    }
}
