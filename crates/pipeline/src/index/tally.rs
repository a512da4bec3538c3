//! What a dataset finds in the index and what it does not, counted.

use std::sync::atomic::{AtomicU64, Ordering};

use headwater_cache::NotKept;
use headwater_image::Unindexable;

/// Counts since the index was opened.
#[derive(Debug, Default)]
pub(super) struct Tally {
    hits: AtomicU64,
    misses: AtomicU64,
    kept: AtomicU64,
    not_kept: [AtomicU64; NotKept::ALL.len()],
    unindexable: [AtomicU64; Unindexable::ALL.len()],
}

/// Counts as they were at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IndexCounts {
    /// Photos found, those included that are known to have no indexed form.
    pub hits: u64,
    /// Photos of which nothing was known.
    pub misses: u64,
    /// Photos put.
    pub kept: u64,
    not_kept: [u64; NotKept::ALL.len()],
}

// === impl IndexCounts ===

impl IndexCounts {
    /// Photos that were not put, or not even re-written, for this reason.
    pub fn not_kept(&self, why: NotKept) -> u64 {
        place_of(why).map_or(0, |place| self.not_kept[place])
    }
}

// === impl Tally ===

impl Tally {
    pub(super) fn hit(&self) {
        self.hits.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn missed(&self) {
        self.misses.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn kept(&self) {
        self.kept.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn not_kept(&self, why: NotKept) {
        if let Some(place) = place_of(why) {
            self.not_kept[place].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a photo that turned out, or was known, to have no indexed form.
    pub(super) fn count(&self, reason: Unindexable) {
        if let Some((_, count)) = Unindexable::ALL.into_iter().zip(&self.unindexable).find(|(each, _)| *each == reason)
        {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Those counts, by reason.
    pub(super) fn unindexable(&self) -> impl Iterator<Item = (Unindexable, u64)> + '_ {
        let counts = self.unindexable.iter().map(|count| count.load(Ordering::Relaxed));
        Unindexable::ALL.into_iter().zip(counts)
    }

    pub(super) fn read(&self) -> IndexCounts {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        IndexCounts {
            hits: load(&self.hits),
            misses: load(&self.misses),
            kept: load(&self.kept),
            not_kept: self.not_kept.each_ref().map(load),
        }
    }
}

fn place_of(why: NotKept) -> Option<usize> {
    NotKept::ALL.iter().position(|each| *each == why)
}
