//! Spans that no collector has had.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Counts them, and says it once: a collector that is away for a day is no reason for a log of a day.
#[derive(Debug)]
pub(super) struct Losses {
    endpoint: String,
    lost: AtomicU64,
    is_said: AtomicBool,
}

// === impl Losses ===

impl Losses {
    pub(super) fn new(endpoint: String) -> Self {
        Self { endpoint, lost: AtomicU64::new(0), is_said: AtomicBool::new(false) }
    }

    pub(super) fn add(&self, spans: u64, why: &dyn fmt::Display) {
        self.lost.fetch_add(spans, Ordering::Relaxed);
        if spans > 0 && !self.is_said.swap(true, Ordering::Relaxed) {
            let collector = &self.endpoint;
            tracing::warn!(%collector, %why, "spans of traces are dropped: they are counted, and not said again");
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}
