//! Photos that were re-written in vain, since the cache holds what is there for worth more.
//!
//! Whether a photo would be kept is known once its indexed form is there, which costs as much as several decodes. After
//! some refusals in a row only one in so many is tried: what is worth keeping may change.

use std::sync::atomic::{AtomicU64, Ordering};

/// Refusals since the last photo that was kept.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    in_a_row: AtomicU64,
    asked: AtomicU64,
}

/// Refusals after which most photos are spared: a few larger ones say nothing of the others.
const ENOUGH: u64 = 8;
/// One in so many is tried then.
const TRY_AGAIN: u64 = 32;

// === impl Refusals ===

impl Refusals {
    /// The last photo was kept.
    pub(super) fn end(&self) {
        self.in_a_row.store(0, Ordering::Relaxed);
    }

    /// The last photo was not.
    pub(super) fn add(&self) {
        self.in_a_row.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether the next photo is not to be tried.
    pub(super) fn spares(&self) -> bool {
        let is_refused = self.in_a_row.load(Ordering::Relaxed) >= ENOUGH;
        is_refused && !self.asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(TRY_AGAIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_some_refusals_one_in_many_is_tried_until_one_is_kept() {
        let refusals = Refusals::default();
        assert!((0..100).all(|_| !refusals.spares()));
        (0..ENOUGH).for_each(|_| refusals.add());
        assert_eq!((0..10 * TRY_AGAIN).filter(|_| !refusals.spares()).count(), 10);
        refusals.end();
        assert!(!refusals.spares());
    }
}
