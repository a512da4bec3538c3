//! What the client has done so far.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use headwater_types::FailureKind;

use crate::arriving::Arriving;
use crate::sample::Sample;

/// A reading of the client's counters. They only grow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Bytes of messages received: payloads, their envelopes and gRPC's 5-byte prefixes, without HTTP/2's frames (about
    /// 0.1 %) and TCP's.
    pub bytes_received: u64,
    /// Time in which bytes that some call waited for were underway: a message's first byte had come, and its last had
    /// not. Time in which a server had nothing to send yet, the reader had no room, or nobody asked, does not count.
    pub arriving: Duration,
    /// Samples given to the reader, failed ones included: each once.
    pub samples: u64,
    /// Samples that failed, by the kind of their failure.
    pub failures: BTreeMap<FailureKind, u64>,
    /// Calls that had to be made again.
    pub retries: u64,
    /// Samples that were asked for again because of a failure that may pass.
    pub sample_retries: u64,
    /// Connections that had to be made again.
    pub reconnects: u64,
    /// Calls that were ended because a [`LivePlan`](crate::LivePlan) changed.
    pub replanned: u64,
    /// Calls whose samples a second server was asked for too, since the first was slow ([`ClientOptions::hedge`]).
    ///
    /// [`ClientOptions::hedge`]: crate::ClientOptions::hedge
    pub hedged: u64,
    /// Of these, calls in which the second server was sooner.
    pub hedges_won: u64,
    /// Announcements of what a job reads next that servers have answered.
    pub announcements: u64,
    /// Announcements that servers did not hear, could not take, or were too old for.
    pub announcements_unheard: u64,
    /// Reports of losses that one server of a partition has, and another that is up did not hear.
    pub reports_unheard: u64,
}

/// The counters that a dataset and its clones share.
#[derive(Debug, Default)]
pub(crate) struct Counting {
    pub(crate) bytes_received: Count,
    pub(crate) arriving: Arc<Arriving>,
    pub(crate) retries: Count,
    pub(crate) sample_retries: Count,
    pub(crate) reconnects: Count,
    pub(crate) replanned: Count,
    pub(crate) hedged: Count,
    pub(crate) hedges_won: Count,
    pub(crate) announcements: Count,
    pub(crate) announcements_unheard: Count,
    pub(crate) reports_unheard: Count,
    samples: Count,
    failures: [Count; FailureKind::ALL.len()],
}

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

// === impl Counting ===

impl Counting {
    /// A sample is given to the reader.
    pub(crate) fn sample(&self, sample: &Sample) {
        self.samples.add(1);
        if let Err(failure) = &sample.outcome {
            let known = FailureKind::ALL.iter().zip(&self.failures).find(|(kind, _)| **kind == failure.kind);
            known.into_iter().for_each(|(_, count)| count.add(1));
        }
    }

    pub(crate) fn read(&self) -> Counters {
        let failures = FailureKind::ALL.into_iter().zip(self.failures.iter().map(Count::get));
        Counters {
            bytes_received: self.bytes_received.get(),
            arriving: self.arriving.time(),
            samples: self.samples.get(),
            failures: failures.filter(|(_, count)| *count > 0).collect(),
            retries: self.retries.get(),
            sample_retries: self.sample_retries.get(),
            reconnects: self.reconnects.get(),
            replanned: self.replanned.get(),
            hedged: self.hedged.get(),
            hedges_won: self.hedges_won.get(),
            announcements: self.announcements.get(),
            announcements_unheard: self.announcements_unheard.get(),
            reports_unheard: self.reports_unheard.get(),
        }
    }
}

// === impl Count ===

impl Count {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
