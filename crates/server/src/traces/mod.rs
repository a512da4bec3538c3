//! What a trace says of one call for samples. A call has one span, whatever its number of samples; what all of them
//! took is in its attributes, and the few that tell most have spans of their own.
//!
//! ```text
//! headwater.v1.Samples/Fetch (server)      samples, bytes, seconds of each stage
//!  ├ sample                                the slowest, and the first that failed
//!  │  ├ queue, fetch, decode, transform, infer
//!  ├ headwater.v1.Samples/Fetch (client)   samples whose home is another server
//!  └ send                                  from the first message that is ready to the last that is taken
//! ```

mod tally;
mod telling;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use headwater_pipeline::Prepared;
use headwater_spans::{Kind, Span};
use headwater_wire::Fetch;

use crate::batch::Batch;
use crate::peer::Peer;
use tally::Tally;

/// The name of the call, as gRPC has it.
pub(crate) const FETCH: &str = "headwater.v1.Samples/Fetch";

/// Most calls at other servers that a call's trace follows: each has a span there, and samples.
const MOST_HOPS: usize = 16;

/// Follows a call, or does not. Clones follow the same call; its span ends with the last.
#[derive(Clone, Default)]
pub(crate) struct CallTrace(Option<Arc<Followed>>);

/// A call that is followed, or whose trace is not recorded: then it is only handed on.
struct Followed {
    span: Span,
    tally: Mutex<Tally>,
    hops: AtomicUsize,
}

// === impl CallTrace ===

impl CallTrace {
    /// Follows a call that was let in.
    pub(crate) fn new(mut span: Span, fetch: &Fetch, peer: &Peer) -> Self {
        if span.is_recorded() {
            span.set("client.address", peer.client().to_string());
            span.set("headwater.dataset", fetch.dataset.clone());
            span.set("headwater.samples", fetch.samples.len());
            span.set("headwater.forwarded", fetch.forwarded);
            if let Some((model, _)) = &fetch.model {
                span.set("headwater.model", model.to_string());
            }
        }
        let is_of_a_trace = span.is_recorded() || span.context().is_some();
        Self(is_of_a_trace.then(|| {
            let (tally, hops) = (Mutex::new(Tally::new(fetch.samples.len())), AtomicUsize::new(0));
            Arc::new(Followed { span, tally, hops })
        }))
    }

    /// Whether anything is recorded.
    pub(crate) fn is_recorded(&self) -> bool {
        self.0.as_ref().is_some_and(|followed| followed.span.is_recorded())
    }

    /// A sample has come to its end in the pipeline.
    pub(crate) fn prepared(&self, sample: &Prepared) {
        self.note(|tally| tally.prepared(sample));
    }

    /// The network has taken a message.
    pub(crate) fn sent(&self, batch: &Batch) {
        self.note(|tally| tally.sent(batch));
    }

    /// So many samples were given up, and are made again.
    pub(crate) fn shed(&self, samples: usize) {
        self.note(|tally| tally.shed += samples);
    }

    /// The call was ended before its last sample.
    pub(crate) fn cut_off(&self, why: &str) {
        self.note(|tally| tally.cut_off = Some(why.to_owned()));
    }

    /// A call for some of the samples at another server.
    pub(crate) fn hop(&self, home: &str, samples: usize) -> Span {
        let Some(Followed { span, hops, .. }) = self.0.as_deref() else { return Span::NONE };
        if span.is_recorded() && hops.fetch_add(1, Ordering::Relaxed) >= MOST_HOPS {
            return span.unrecorded();
        }
        let mut hop = span.child(FETCH, Kind::Client);
        hop.set("server.address", home.to_owned());
        hop.set("headwater.samples", samples);
        hop
    }

    fn note(&self, what: impl FnOnce(&mut Tally)) {
        if let Some(followed) = self.0.as_ref().filter(|followed| followed.span.is_recorded()) {
            what(&mut followed.tally());
        }
    }
}

// === impl Followed ===

impl Followed {
    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        if self.span.is_recorded() {
            let tally = std::mem::take(self.tally.get_mut().unwrap_or_else(PoisonError::into_inner));
            tally.tell(&mut self.span, self.hops.load(Ordering::Relaxed).saturating_sub(MOST_HOPS));
        }
    }
}
