//! How much memory a piece of work takes: an allocator that counts what each thread holds. What C libraries take is
//! not counted.
#![expect(unsafe_code, reason = "an allocator is; it hands every call on to the system's as it came")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counted;

#[global_allocator]
static HEAP: Counted = Counted;

thread_local! {
    /// Bytes that this thread holds. Those that another thread gives back make it too large.
    static HELD: Cell<u64> = const { Cell::new(0) };
    static PEAK: Cell<u64> = const { Cell::new(0) };
}

fn take(bytes: usize) {
    // A thread that is ending has no counter, and is not measured.
    let _ = HELD.try_with(|held| {
        held.set(held.get() + bytes as u64);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(held.get())));
    });
}

fn give(bytes: usize) {
    let _ = HELD.try_with(|held| held.set(held.get().saturating_sub(bytes as u64)));
}

// SAFETY: every call is handed on unchanged; the counters neither allocate nor panic.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        take(layout.size());
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        take(layout.size());
        // SAFETY: as the caller promised.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        give(layout.size());
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Old and new block may be there at once.
        take(size);
        give(layout.size());
        // SAFETY: as the caller promised.
        unsafe { System.realloc(block, layout, size) }
    }
}

/// What the work gives, and the most bytes that this thread held meanwhile beyond those it held before.
pub(crate) fn peak_of<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let before = HELD.get();
    PEAK.set(before);
    let outcome = work();
    (outcome, PEAK.get() - before)
}
