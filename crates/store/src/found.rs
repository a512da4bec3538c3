//! How far a listing is, for who waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The number of samples that a listing has found so far, of all partitions. Clones are the same number.
#[derive(Clone, Debug, Default)]
pub struct Found(Arc<AtomicU64>);

// === impl Found ===

impl Found {
    /// The number now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// So many more.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }
}
