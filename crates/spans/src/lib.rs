//! Traces: spans that follow a call from its reader over the wire to the disk, and on to an OpenTelemetry collector.
//!
//! ```text
//! OTEL_* ─▶ settings ─▶ Tracer ─▶ Span ─ends─▶ record ─▶ queue ─▶ batches ─▶ OTLP ─▶ collector
//!                     (sampler)     └ its context ─▶ traceparent      (a thread of its own)
//! ```
//!
//! Invariants: without a tracer a span is nothing, and costs a comparison; whoever ends a span never waits, and fails
//! of nothing: where the queue is full or the collector is away, spans are dropped, counted, and said once; a variable
//! that cannot be right is refused before anything is started; no header of the exporter is in a message or a `Debug`.
//!
//! # Why not the OpenTelemetry SDK
//! It replaces a variable that it cannot read by a default and goes on; its TLS brings a second library beside
//! [`headwater_access`]; it does not say how many spans a collector has not had; and its global state does not survive
//! the fork of a worker process. What is needed of OTLP is one message, and [`proto`] has it. The tests of the
//! Python package read what comes by OpenTelemetry's own types.
//!
//! # Why not spans of `tracing`
//! A subscriber would have to be asked at each sample of each call, sampled or not. Here a call that is not sampled
//! carries `None`.

mod error;

mod proto;

mod context;
mod ids;

mod clock;
mod value;

mod record;

mod settings;

mod exporter;

mod recorder;

mod span;
mod tracer;

mod metadata;

pub use context::{SpanContext, TraceState};
pub use error::SettingError;
pub use exporter::{FLUSH, Flushed};
pub use ids::{SpanId, TraceId};
pub use record::Kind;
pub use settings::{Protocol, Settings};
pub use span::Span;
pub use tracer::Tracer;
pub use value::Value;
