//! Which values go first: the few smallest of one pass through the table, kept in order until they are used up.
//!
//! In one process the order is exact: a value that came or changed since the pass, here, is put among them where it is
//! smaller than the largest of them; a value outside of the list is larger than all within, or has become so by being
//! used. What other processes bring in the meantime is seen at the next pass, which comes after as many changes as an
//! eighth of the values: a victim is then one of the smallest, and not always the smallest. Limits do not depend on it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::worth::Worth;

/// Values that one pass finds, at least.
const FEWEST: usize = 256;

/// The smallest values of one tier.
#[derive(Debug, Default)]
pub(super) struct Victims {
    smallest: BinaryHeap<Reverse<Worth>>,
    /// The largest that the last pass took; `None` where it took all.
    bound: Option<Worth>,
    is_fresh: bool,
    /// Changes that there had been at the last pass, those of this process aside.
    seen: u64,
}

// === impl Victims ===

impl Victims {
    /// Whether a pass has to be made, after so many changes by other processes.
    pub(super) fn is_due(&self, changes: u64, entries: u64) -> bool {
        let is_used_up = self.smallest.is_empty() && self.bound.is_some();
        !self.is_fresh || is_used_up || changes.saturating_sub(self.seen) > (entries / 8).max(64)
    }

    /// Whether the last pass saw as many changes by others as there are.
    pub(super) fn is_of(&self, changes: u64) -> bool {
        self.is_fresh && self.seen == changes
    }

    /// Takes what a pass found.
    pub(super) fn fill(&mut self, mut found: Vec<Worth>, changes: u64) {
        let most = FEWEST.max(found.len() / 64);
        self.bound = None;
        if found.len() > most {
            found.select_nth_unstable(most - 1);
            found.truncate(most);
            self.bound = found.iter().max().copied();
        }
        self.smallest = found.into_iter().map(Reverse).collect();
        (self.is_fresh, self.seen) = (true, changes);
    }

    /// A value came or changed here.
    pub(super) fn note(&mut self, worth: Worth) {
        if self.is_fresh && self.bound.is_none_or(|bound| worth <= bound) {
            self.smallest.push(Reverse(worth));
        }
    }

    /// The smallest, as it was when it was noted.
    pub(super) fn next(&mut self) -> Option<Worth> {
        self.smallest.pop().map(|Reverse(worth)| worth)
    }

    /// Everything has another worth now.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}
