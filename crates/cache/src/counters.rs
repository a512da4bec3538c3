//! What was done with a folder, counted from the moment it was opened.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::not_kept::NotKept;

/// Counters as they were at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DirectoryCounts {
    /// Entries found, refusals included.
    pub hits: u64,
    /// Keys without an entry.
    pub misses: u64,
    /// Frames that were not what was put: each a miss too.
    pub corrupt: u64,
    /// Entries put.
    pub kept: u64,
    /// Entries dropped, since what they were made of is no more.
    pub dropped: u64,
    /// Times that the folder was made anew, since it was deleted or exchanged.
    pub renewed: u64,
    /// Entries not put, by reason, in the order of [`NotKept::ALL`].
    pub not_kept: [u64; NotKept::ALL.len()],
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) hits: Counter,
    pub(crate) misses: Counter,
    pub(crate) corrupt: Counter,
    pub(crate) kept: Counter,
    pub(crate) dropped: Counter,
    pub(crate) renewed: Counter,
    pub(crate) not_kept: [Counter; NotKept::ALL.len()],
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

// === impl DirectoryCounts ===

impl DirectoryCounts {
    /// Entries that were not put, or not even made, for this reason.
    pub fn not_kept(&self, why: NotKept) -> u64 {
        self.not_kept[why.place()]
    }
}

// === impl Counters ===

impl Counters {
    pub(crate) fn read(&self) -> DirectoryCounts {
        DirectoryCounts {
            hits: self.hits.get(),
            misses: self.misses.get(),
            corrupt: self.corrupt.get(),
            kept: self.kept.get(),
            dropped: self.dropped.get(),
            renewed: self.renewed.get(),
            not_kept: self.not_kept.each_ref().map(Counter::get),
        }
    }
}

// === impl Counter ===

impl Counter {
    /// Counts one; the number of those before it.
    pub(crate) fn add(&self) -> u64 {
        self.add_all(1)
    }

    /// Counts so many; the number of those before them.
    pub(crate) fn add_all(&self, more: u64) -> u64 {
        self.0.fetch_add(more, Ordering::Relaxed)
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
