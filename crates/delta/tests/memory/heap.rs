//! How much memory a piece of work takes.

use std::sync::{Mutex, MutexGuard, PoisonError};

use peak_alloc::PeakAlloc;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// Held by the one test that runs.
static RUNNING: Mutex<()> = Mutex::new(());

/// Waits until no other test runs, and keeps others from it.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the work gives, and the most bytes that this program held meanwhile beyond those it held before.
pub(crate) fn peak_of<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let before = HEAP.current_usage();
    HEAP.reset_peak_usage();
    let outcome = work();
    (outcome, HEAP.peak_usage().saturating_sub(before) as u64)
}
