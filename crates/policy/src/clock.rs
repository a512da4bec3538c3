//! What has passed: accesses, positions, reports.

use crate::priority::Place;

/// What has passed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    /// Accesses and admissions.
    pub(crate) accesses: u64,
    /// Nothing is expected any more before this position.
    pub(crate) position: u64,
    /// The last position of which anything was known.
    pub(crate) horizon: u64,
    /// Reports of importance, in rounds: one for each entry that was held at the time.
    pub(crate) rounds: f64,
}

// === impl Clock ===

impl Clock {
    pub(crate) fn tick(&mut self) -> u64 {
        self.accesses += 1;
        self.accesses
    }

    /// A report of importance came, while the cache had so many entries.
    pub(crate) fn report(&mut self, entries: usize) {
        self.rounds += 1.0 / entries.max(1) as f64;
    }

    /// A next use was stated.
    pub(crate) fn state(&mut self, next_use: Option<u64>) {
        self.horizon = self.horizon.max(next_use.unwrap_or_default());
    }

    pub(crate) fn place(&self) -> Place {
        Place { position: self.position, horizon: self.horizon }
    }
}
