//! How far measuring has come: one count for all of it, headers, samples and the network.

use std::sync::{Mutex, PoisonError};

/// So much is done, of so much that is known to be done by now: the whole grows as rounds are planned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Headway {
    /// Pieces that are done.
    pub done: u64,
    /// Pieces in all, as far as is known.
    pub total: u64,
}

/// Who hears of it.
pub type OnProgress<'a> = &'a (dyn Fn(Headway) + Sync);

/// Counts.
pub(crate) struct Meter<'a> {
    on_progress: OnProgress<'a>,
    headway: Mutex<Headway>,
}

// === impl Meter ===

impl<'a> Meter<'a> {
    pub(crate) fn new(on_progress: OnProgress<'a>) -> Self {
        Self { on_progress, headway: Mutex::default() }
    }

    /// So many further pieces are to be done.
    pub(crate) fn expect(&self, more: u64) {
        self.update(|headway| headway.total += more);
    }

    /// So many further pieces are done.
    pub(crate) fn done(&self, more: u64) {
        self.update(|headway| headway.done += more);
    }

    fn update(&self, update: impl FnOnce(&mut Headway)) {
        let mut headway = self.headway.lock().unwrap_or_else(PoisonError::into_inner);
        update(&mut headway);
        (self.on_progress)(*headway);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_that_grows_is_told_with_what_is_done() {
        let heard = Mutex::new(Vec::new());
        let on_progress = |headway: Headway| heard.lock().unwrap().push((headway.done, headway.total));
        let meter = Meter::new(&on_progress);
        meter.expect(3);
        meter.done(2);
        meter.expect(5);
        meter.done(6);
        assert_eq!(*heard.lock().unwrap(), [(0, 3), (2, 3), (2, 8), (8, 8)]);
    }
}
