//! One entry in the books.

use bytes::Bytes;

use crate::entry::Entry;
use crate::key::EntryKey;

/// An entry whose bytes this process holds.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) key: EntryKey,
    pub(super) entry: Entry,
}

/// Where an entry is.
#[derive(Debug)]
pub(super) enum Place {
    /// In memory.
    Memory(Box<Held>),
    /// Demoted, and not written yet.
    Waiting(Box<Held>),
    /// Being written by whoever put it.
    Arriving,
    /// In its file.
    Ssd,
}

/// An entry in the books.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) place: Place,
    /// Another number for each place that the entry was given: who has waited for the disk sees by it whether anything
    /// has changed.
    pub(super) ticket: u64,
    /// Bytes that it takes, or would, on the SSD.
    pub(super) ssd_bytes: u64,
}

// === impl Held ===

impl Held {
    /// An entry with memory of its own: one that comes as a part of something larger would keep all of that.
    pub(super) fn copy(key: &EntryKey, entry: &Entry) -> Self {
        let copy = Bytes::copy_from_slice(entry.payload());
        let entry = match entry {
            Entry::Bytes(_) => Entry::Bytes(copy),
            Entry::Refused(_) => Entry::Refused(copy),
        };
        Self { key: *key, entry }
    }

    /// Bytes that it takes in memory.
    pub(super) fn bytes(&self) -> u64 {
        self.entry.payload().len() as u64
    }
}
