//! What is counted, for metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counters of a provider.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) same: AtomicU64,
    pub(crate) changed: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) verified: AtomicU64,
    pub(crate) known: AtomicU64,
    pub(crate) refused: AtomicU64,
}

/// What a provider's counters say now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Questions for keys, by what came of them: `same`, `changed`, `failed`.
    pub refreshes: [(&'static str, u64); 3],
    /// Tokens that were shown, by what came of them: `verified`, `known`, `refused`.
    pub tokens: [(&'static str, u64); 3],
    /// Keys that there are.
    pub keys: usize,
    /// How long ago they were had; `None` before the first.
    pub age: Option<Duration>,
}

// === impl Counters ===

impl Counters {
    pub(crate) fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn now(&self, keys: usize, age: Option<Duration>) -> Counts {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            refreshes: [("same", of(&self.same)), ("changed", of(&self.changed)), ("failed", of(&self.failed))],
            tokens: [("verified", of(&self.verified)), ("known", of(&self.known)), ("refused", of(&self.refused))],
            keys,
            age,
        }
    }
}
