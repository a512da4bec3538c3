//! One bar after the other, for work that has several stages.

use std::sync::{Mutex, PoisonError};

use headwater_cli::{Bar, Progress};
use headwater_pilot::Headway;

/// The bar of the stage that was heard of last. It takes the place of the bar of the stage before.
pub(crate) struct Bars<'a> {
    progress: &'a Progress,
    current: Mutex<Option<(&'static str, Bar)>>,
}

// === impl Bars ===

impl<'a> Bars<'a> {
    /// Nothing is drawn yet.
    pub(crate) fn new(progress: &'a Progress) -> Self {
        Self { progress, current: Mutex::new(None) }
    }

    /// A stage has come this far, of a whole that may have grown.
    pub(crate) fn set(&self, stage: &'static str, headway: Headway) {
        self.with(stage, Some(headway.total), |bar| {
            bar.grow(headway.total);
            bar.set(headway.done);
        });
    }

    /// A stage whose whole is not known has come this much further.
    pub(crate) fn add(&self, stage: &'static str, more: u64) {
        self.with(stage, None, |bar| bar.add(more));
    }

    fn with(&self, stage: &'static str, total: Option<u64>, show: impl FnOnce(&Bar)) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_none_or(|(shown, _)| *shown != stage) {
            // The old bar goes before the new one is drawn.
            *current = None;
            *current = Some((stage, self.progress.items(stage, total)));
        }
        if let Some((_, bar)) = &*current {
            show(bar);
        }
    }
}
