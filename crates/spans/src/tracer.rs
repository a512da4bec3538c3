//! Where traces begin, or go on that others have begun.

use std::sync::Arc;
use std::time::Duration;

use crate::context::SpanContext;
use crate::exporter::{Exporter, Flushed};
use crate::ids::Ids;
use crate::record::Kind;
use crate::recorder::Recorder;
use crate::settings::{Sampler, Settings};
use crate::span::Span;

/// Begins spans, or none: that is the default. Clones are the same tracer. It belongs to the process that made it.
#[derive(Clone, Debug, Default)]
pub struct Tracer(Option<On>);

#[derive(Clone, Debug)]
struct On {
    sampler: Sampler,
    recorder: Arc<Recorder>,
}

// === impl Tracer ===

impl Tracer {
    /// Begins spans as the settings say. Their exporter has a thread of its own from the first on.
    pub fn new(settings: Settings) -> Self {
        let Settings { sampler, propagates, .. } = settings;
        let recorder = Recorder { propagates, ids: Ids::new(), exporter: Exporter::new(settings) };
        Self(Some(On { sampler, recorder: Arc::new(recorder) }))
    }

    /// Whether any span may be recorded.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Begins a span: of this caller's trace where one is known, else of a new one. Whether it is recorded is for the
    /// sampler to say.
    pub fn begin(&self, name: &'static str, kind: Kind, caller: Option<&SpanContext>) -> Span {
        let Some(On { sampler, recorder }) = &self.0 else {
            return caller.map_or(Span::NONE, |caller| Span::passing(caller.clone()));
        };
        let caller = caller.filter(|_| recorder.propagates);
        let trace = caller.map_or_else(|| recorder.ids.trace(), |caller| caller.trace);
        let sampled = sampler.takes(trace, caller);
        let here = || SpanContext { trace, span: recorder.ids.span(), sampled, state: None, remote: false };
        match (caller, sampled) {
            (Some(caller), true) => Span::part(recorder, &SpanContext { sampled, ..caller.clone() }, name, kind),
            (None, true) => Span::open(recorder, name, kind, (here(), None)),
            (Some(caller), false) => Span::passing(SpanContext { sampled, ..caller.clone() }),
            // Who is called must not begin a trace of its own.
            (None, false) if recorder.propagates => Span::passing(here()),
            (None, false) => Span::NONE,
        }
    }

    /// Sends what waits now. It waits for at most so long.
    pub fn flush(&self, most: Duration) -> Flushed {
        let nothing = Flushed { in_time: true, lost: 0 };
        self.0.as_ref().map_or(nothing, |on| on.recorder.exporter.flush(most))
    }
}
