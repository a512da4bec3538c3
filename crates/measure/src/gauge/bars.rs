//! One bar for each phase of a measurement.

use std::sync::{Mutex, PoisonError};

use headwater_cli::{Bar, Progress};
use headwater_pilot::Phase;

/// Bars for phases as they begin.
pub(crate) struct Bars<'a> {
    progress: &'a Progress,
    current: Mutex<Option<(Phase, Bar)>>,
}

// === impl Bars ===

impl<'a> Bars<'a> {
    pub(crate) fn new(progress: &'a Progress) -> Self {
        Self { progress, current: Mutex::new(None) }
    }

    /// So many more samples of a phase.
    pub(crate) fn told(&self, phase: Phase, more: u64) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        match &*current {
            Some((same, bar)) if *same == phase => bar.add(more),
            _ => {
                // The old bar leaves the screen before the new one comes.
                *current = None;
                let bar = match phase {
                    Phase::Survey(photos) => self.progress.items("headers", Some(photos)),
                    Phase::Measure(way, samples) => self.progress.items(way.to_string(), Some(samples)),
                    Phase::Network => self.progress.items("network, ms", None),
                };
                bar.add(more);
                *current = Some((phase, bar));
            }
        }
    }
}
