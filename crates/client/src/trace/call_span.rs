//! The span of one call at a server.

use headwater_discovery::ServerAddress;
use headwater_spans::Span;
use tonic::Request;

use crate::trace::sample_trace::SampleTrace;

/// The span of one call at a server: one try of a chunk.
pub(crate) struct CallSpan {
    span: Span,
    bytes: u64,
    came: u64,
}

/// The name of the call, as gRPC has it.
const FETCH: &str = "headwater.v1.Samples/Fetch";

// === impl CallSpan ===

impl CallSpan {
    pub(crate) fn new(trace: &SampleTrace, server: &ServerAddress, samples: usize) -> Self {
        let mut span = trace.child(FETCH);
        if span.is_recorded() {
            span.set("server.address", server.to_string());
            span.set("headwater.samples", samples);
        }
        Self { span, bytes: 0, came: 0 }
    }

    /// A request that says where it belongs.
    pub(crate) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        self.span.enter(request.metadata_mut());
        request
    }

    /// It is made beside another, whose server is slow.
    pub(crate) fn hedge(&mut self) {
        self.span.set("headwater.is_hedge", true);
    }

    /// A message of so many bytes has come.
    pub(crate) fn hear(&mut self, bytes: u64) {
        self.bytes += bytes;
    }

    /// A sample has come.
    pub(crate) fn came(&mut self) {
        self.came += 1;
    }

    /// The server says that it is busy.
    pub(crate) fn busy(&mut self, reason: &str, detail: &str) {
        if self.span.is_recorded() {
            self.span.event("busy", ("headwater.reason", format!("{reason}: {detail}")));
        }
    }

    /// It was ended here, and nothing is wrong.
    pub(crate) fn give_up(&mut self, why: &'static str) {
        self.span.event("given up", ("headwater.reason", why));
    }

    /// It ended otherwise than with its last sample.
    pub(crate) fn fail(&mut self, why: &str) {
        self.span.fail(why);
    }
}

impl Drop for CallSpan {
    fn drop(&mut self) {
        self.span.set("headwater.received_bytes", self.bytes);
        self.span.set("headwater.samples.came", self.came);
    }
}
