//! How much memory a piece of work takes.

use std::sync::{Mutex, PoisonError};

use peak_alloc::PeakAlloc;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// Held while somebody counts.
static COUNTING: Mutex<()> = Mutex::new(());

/// What the work gives, and the most bytes that this program held meanwhile beyond those it held before.
pub(crate) fn peak_of<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let _counting = COUNTING.lock().unwrap_or_else(PoisonError::into_inner);
    let before = HEAP.current_usage();
    HEAP.reset_peak_usage();
    let outcome = work();
    (outcome, HEAP.peak_usage().saturating_sub(before) as u64)
}
