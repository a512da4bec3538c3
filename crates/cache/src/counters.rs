//! What a folder's users did, counted from the moment it was opened.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters as they were at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Entries found, refusals included.
    pub hits: u64,
    /// Keys without an entry.
    pub misses: u64,
    /// Frames that were not what was put: each a miss too.
    pub corrupt: u64,
    /// Entries put.
    pub kept: u64,
    /// Entries not put since the folder is full.
    pub full: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) hits: Counter,
    pub(crate) misses: Counter,
    pub(crate) corrupt: Counter,
    pub(crate) kept: Counter,
    pub(crate) full: Counter,
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

// === impl Counters ===

impl Counters {
    pub(crate) fn read(&self) -> Counts {
        Counts {
            hits: self.hits.get(),
            misses: self.misses.get(),
            corrupt: self.corrupt.get(),
            kept: self.kept.get(),
            full: self.full.get(),
        }
    }
}

// === impl Counter ===

impl Counter {
    /// Counts one; the number of those before it.
    pub(crate) fn add(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
