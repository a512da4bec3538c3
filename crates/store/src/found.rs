//! How far a listing is, for whoever waits for it.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The number of samples that a listing has found so far, of all partitions, and what keeps it from going on. Clones
/// are the same.
#[derive(Clone, Debug, Default)]
pub struct Found(Arc<Progress>);

#[derive(Debug, Default)]
struct Progress {
    count: AtomicU64,
    /// What a store that does not answer did last, and how often in a row.
    trouble: Mutex<Option<(String, u64)>>,
}

// === impl Found ===

impl Found {
    /// The number of samples found so far.
    pub fn get(&self) -> u64 {
        self.0.count.load(Ordering::Relaxed)
    }

    /// Adds so many samples.
    pub fn add(&self, more: u64) {
        self.0.count.fetch_add(more, Ordering::Relaxed);
    }

    /// What keeps the listing from going on, if anything does. The words differ after each try, so that whoever waits
    /// sees that tries are made.
    pub fn trouble(&self) -> Option<String> {
        let trouble = self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble
            .as_ref()
            .map(|(last, tries)| format!("{tries} requests in a row failed and are made again; at the last {last}"))
    }

    /// Notes that a request has failed, and will be made again.
    pub(crate) fn hangs(&self, why: impl fmt::Display) {
        let mut trouble = self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let tries = trouble.take().map_or(0, |(_, tries)| tries);
        *trouble = Some((why.to_string(), tries + 1));
    }

    /// Notes that a request was answered.
    pub(crate) fn goes_on(&self) {
        *self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
