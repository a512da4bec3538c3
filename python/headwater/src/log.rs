//! What the Rust side has to say, in Python's own `logging`, under the name `headwater`.
//!
//! Lines go into a queue, and are taken out where Python waits for the network: a thread that has no business with the
//! interpreter never waits for the GIL. The queue is bounded and needs no lock, which a fork could leave locked.

use std::fmt::{self, Write as _};
use std::sync::OnceLock;

use crossbeam_channel::{Receiver, Sender, bounded};
use headwater_client::REMARKS;
use pyo3::prelude::*;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Lines that wait for Python; what comes beyond is dropped: who waits for a server is told often enough.
const LINES: usize = 256;
struct Line {
    level: Level,
    text: String,
}

/// Takes what this workspace's crates say at `info` and above.
struct Queue(Sender<Line>);

/// An event's message, and its fields in brackets behind it.
#[derive(Default)]
struct Words {
    message: String,
    fields: String,
}

static LINES_TO_COME: OnceLock<Receiver<Line>> = OnceLock::new();

/// From now on, in this process.
pub(crate) fn install() {
    let (sender, receiver) = bounded(LINES);
    if LINES_TO_COME.set(receiver).is_ok() {
        // Fails where another library of the process has its own: then that has the lines.
        let _ = tracing::subscriber::set_global_default(Queue(sender));
    }
}

/// Gives what has been said since to Python.
pub(crate) fn pass_on(py: Python<'_>) -> PyResult<()> {
    let Some(lines) = LINES_TO_COME.get().filter(|lines| !lines.is_empty()) else { return Ok(()) };
    let logger = py.import("logging")?.call_method1("getLogger", ("headwater",))?;
    for Line { level, text } in lines.try_iter() {
        let method = match level {
            Level::ERROR => "error",
            Level::WARN => "warning",
            _ => "info",
        };
        logger.call_method1(method, ("%s", text))?;
    }
    Ok(())
}

// === impl Queue ===

impl Subscriber for Queue {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // Python has remarks as such, and warns of each once.
        let is_ours = metadata.target().starts_with("headwater") && metadata.target() != REMARKS;
        metadata.is_event() && *metadata.level() <= Level::INFO && is_ours
    }

    fn event(&self, event: &Event<'_>) {
        let mut words = Words::default();
        event.record(&mut words);
        let text = match words.fields.as_str() {
            "" => words.message,
            fields => format!("{} ({fields})", words.message),
        };
        let _ = self.0.try_send(Line { level: *event.metadata().level(), text });
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

// === impl Words ===

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name if self.fields.is_empty() => write!(self.fields, "{name}={value:?}"),
            name => write!(self.fields, ", {name}={value:?}"),
        };
    }
}
