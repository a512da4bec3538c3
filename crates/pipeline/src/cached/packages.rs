//! How much was read in packages.

use std::sync::atomic::{AtomicU64, Ordering};

/// Reads that brought several samples at once, or one that was left out.
#[derive(Debug, Default)]
pub struct Packages {
    reads: AtomicU64,
    bytes: AtomicU64,
}

// === impl Packages ===

impl Packages {
    /// How often a package was read.
    pub fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    /// Their bytes, those too that lay between samples and were dropped.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn count(&self, bytes: usize) {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}
