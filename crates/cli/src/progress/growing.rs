//! A bar for a piece of work whose whole becomes known on the way.

use std::sync::{Mutex, PoisonError};

use super::{Bar, Progress};

/// A bar that is drawn once something is known of the work.
#[derive(Debug)]
pub struct GrowingBar<'a> {
    progress: &'a Progress,
    what: &'static str,
    bar: Mutex<Option<Bar>>,
}

// === impl GrowingBar ===

impl<'a> GrowingBar<'a> {
    /// A bar that is not drawn yet.
    pub fn new(progress: &'a Progress, what: &'static str) -> Self {
        Self { progress, what, bar: Mutex::new(None) }
    }

    /// Draws that so much is done, of the whole that is known by now.
    pub fn update(&self, done: u64, total: u64) {
        let mut bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = bar.get_or_insert_with(|| self.progress.items(self.what, Some(total)));
        bar.grow(total);
        bar.set(done);
    }
}
