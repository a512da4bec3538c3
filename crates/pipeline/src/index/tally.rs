//! What went wrong with photos and with the index's folder, counted.

use std::sync::atomic::{AtomicU64, Ordering};

use headwater_cache::DirectoryError;
use headwater_image::Unindexable;

/// Counts since the index was opened.
#[derive(Debug, Default)]
pub(super) struct Tally {
    unindexable: [AtomicU64; Unindexable::ALL.len()],
    errors: AtomicU64,
}

// === impl Tally ===

impl Tally {
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

    /// Counts an error of the folder. Only the first is a warning: a disk that is gone would otherwise fill the log.
    pub(super) fn failed(&self, error: &DirectoryError) {
        if self.errors.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::warn!(
                %error,
                "the photo index cannot be read; photos are decoded from their source, and more of this is only counted"
            );
        }
        tracing::debug!(%error, "photo index");
    }

    /// Times that the folder could not be read.
    pub(super) fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }
}
