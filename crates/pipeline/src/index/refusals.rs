//! Photos that were re-written in vain, since the cache holds what is there for worth more.
//!
//! Whether a photo would be kept is known once its indexed form is there, which costs as much as several decodes. After
//! some refusals in a row only one in so many is tried: what is worth keeping may change. Where it is the disk that
//! refuses, the cache says so before a photo is re-written, and nothing is remembered here.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use headwater_cache::NotKept;

/// Refusals since the last photo that was kept.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    in_a_row: AtomicU64,
    asked: AtomicU64,
    /// The place of the last reason in [`NotKept::ALL`].
    why: AtomicUsize,
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

    /// The last photo was not, for this reason.
    pub(super) fn add(&self, why: NotKept) {
        if matches!(why, NotKept::Disk(_)) {
            return;
        }
        let place = NotKept::ALL.iter().position(|each| *each == why);
        self.why.store(place.unwrap_or_default(), Ordering::Relaxed);
        self.in_a_row.fetch_add(1, Ordering::Relaxed);
    }

    /// Why the next photo is not to be tried; `None` where it is.
    pub(super) fn spares(&self) -> Option<NotKept> {
        let is_refused = self.in_a_row.load(Ordering::Relaxed) >= ENOUGH;
        let is_spared = is_refused && !self.asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(TRY_AGAIN);
        NotKept::ALL.get(self.why.load(Ordering::Relaxed)).copied().filter(|_| is_spared)
    }
}

#[cfg(test)]
mod tests {
    use headwater_types::WriteFault;

    use super::*;

    #[test]
    fn after_some_refusals_one_in_many_is_tried_until_one_is_kept() {
        let refusals = Refusals::default();
        (0..100).for_each(|_| refusals.add(NotKept::Disk(WriteFault::DiskFull)));
        assert!((0..100).all(|_| refusals.spares().is_none()), "the cache knows it by itself");
        (0..ENOUGH).for_each(|_| refusals.add(NotKept::Floor));
        let tries: Vec<_> = (0..10 * TRY_AGAIN).map(|_| refusals.spares()).collect();
        assert_eq!(tries.iter().filter(|why| why.is_none()).count(), 10);
        assert!(tries.iter().flatten().all(|why| *why == NotKept::Floor));
        refusals.end();
        assert_eq!(refusals.spares(), None);
    }
}
