//! One bar for each phase of a piece of work, the next where the one before was.

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};

use crate::progress::{Bar, Progress};

/// Bars for phases as they begin.
#[derive(Debug)]
pub struct PhaseBars<'a> {
    progress: &'a Progress,
    current: Mutex<Option<Current>>,
}

#[derive(Debug)]
struct Current {
    title: Cow<'static, str>,
    total: Option<u64>,
    bar: Bar,
}

// === impl PhaseBars ===

impl<'a> PhaseBars<'a> {
    /// None yet.
    pub fn new(progress: &'a Progress) -> Self {
        Self { progress, current: Mutex::new(None) }
    }

    /// So many more are done of a phase, which begins where it is another than before.
    pub fn told(&self, title: Cow<'static, str>, total: Option<u64>, more: u64) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        match &*current {
            Some(same) if same.title == title && same.total == total => same.bar.add(more),
            _ => {
                // The old bar leaves the screen before the new one comes.
                *current = None;
                let bar = self.progress.items(title.clone(), total);
                bar.add(more);
                *current = Some(Current { title, total, bar });
            }
        }
    }
}
