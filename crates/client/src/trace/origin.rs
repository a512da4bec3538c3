//! Where the traces of a fetch begin.

use headwater_spans::{Kind, SpanContext, Tracer};
use headwater_wire::Fetch;

use crate::chunk::Chunk;
use crate::trace::sample_trace::SampleTrace;

/// Where the traces of a fetch begin.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    pub(crate) tracer: Tracer,
    /// The name of the first span.
    pub(crate) reader: &'static str,
    /// Whose trace goes on, where the reader is in one.
    pub(crate) caller: Option<SpanContext>,
}

// === impl Origin ===

impl Origin {
    /// Follows a chunk, or does not. `first`: the index in the dataset of the partition's first sample.
    pub(crate) fn follow(&self, chunk: &Chunk, fetch: &Fetch, first: u64) -> SampleTrace {
        let mut span = self.tracer.begin(self.reader, Kind::Internal, self.caller.as_ref());
        let Some(wanted) = chunk.missing().next().filter(|_| span.is_recorded()) else { return SampleTrace::new(span) };
        span.set("headwater.dataset", fetch.dataset.clone());
        span.set("headwater.samples", chunk.missing().len());
        span.set("headwater.first_index", first.saturating_add(wanted.local));
        span.set("headwater.cut", wanted.way.cut().as_str());
        span.set("headwater.epoch", wanted.address.epoch.0);
        if let Some(job) = &fetch.job {
            span.set("headwater.job", job.as_str().to_owned());
        }
        SampleTrace::new(span)
    }
}
