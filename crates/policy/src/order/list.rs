//! A list of entries from oldest to newest, linked through their records: constant time, no allocation.

use crate::slots::{NONE, Record};

/// A list of entries from oldest to newest.
#[derive(Debug)]
pub(crate) struct List {
    oldest: u32,
    newest: u32,
}

// === impl List ===

impl Default for List {
    fn default() -> Self {
        Self { oldest: NONE, newest: NONE }
    }
}

impl List {
    pub(crate) fn oldest(&self) -> Option<u32> {
        (self.oldest != NONE).then_some(self.oldest)
    }

    /// Puts an entry that is in no list behind all others.
    pub(crate) fn push(&mut self, records: &mut [Record], slot: u32) {
        let last = std::mem::replace(&mut self.newest, slot);
        let record = &mut records[slot as usize];
        (record.previous, record.next) = (last, NONE);
        match records.get_mut(last as usize) {
            Some(last) => last.next = slot,
            None => self.oldest = slot,
        }
    }

    /// Takes out an entry of this list.
    pub(crate) fn remove(&mut self, records: &mut [Record], slot: u32) {
        let Record { previous, next, .. } = records[slot as usize];
        match records.get_mut(previous as usize) {
            Some(previous) => previous.next = next,
            None => self.oldest = next,
        }
        match records.get_mut(next as usize) {
            Some(next) => next.previous = previous,
            None => self.newest = previous,
        }
    }
}
