//! Entries looked for: in memory, on their way to the SSD, and on the SSD.

use std::time::Instant;

use headwater_policy::Tier;

use super::row::Held;
use super::shared::Shared;
use super::ssd::Ssd;
use crate::directory::Look;
use crate::entry::Entry;
use crate::frame::file_length;
use crate::glimpse::{Glimpse, GlimpseBuffer};
use crate::key::EntryKey;
use crate::latency::Source;
use crate::outcome::Outcome;

impl Shared {
    pub(super) fn get(&self, key: &EntryKey) -> Option<(Entry, Tier)> {
        // Twice: while one looks at the disk, another may promote the entry, which removes its file.
        for _ in 0..2 {
            let mut books = self.books();
            if let Some(found) = books.access_here(key, &self.tally) {
                return Some(found);
            }
            let ticket = books.ticket(key.name());
            drop(books);
            match self.read(key) {
                Ok(Some(entry)) => return Some((self.found(key, entry), Tier::Ssd)),
                Ok(None) if self.books().forget_lost(key.name(), ticket) => return None,
                Ok(None) => {}
                Err(()) => return None,
            }
        }
        None
    }

    /// The entry in its file. An error of the disk is a miss, and no reason to remove anything.
    fn read(&self, key: &EntryKey) -> Result<Option<Entry>, ()> {
        let Some(directory) = self.ssd.as_ref().and_then(Ssd::directory) else { return Ok(None) };
        let begun = Instant::now();
        match directory.look(key) {
            Ok(Look::Found(entry)) => {
                self.stopwatches.took(Source::Ssd, begun.elapsed());
                Ok(Some(entry))
            }
            Ok(Look::Absent) => Ok(None),
            Ok(Look::Corrupt) => {
                self.tally.count(Outcome::Corrupt, key.name().kind());
                Ok(None)
            }
            Err(error) => {
                tracing::debug!(%error, "cache");
                self.tally.count(Outcome::Unreadable, key.name().kind());
                Err(())
            }
        }
    }

    /// Counts an entry that was found in its file. Where it is promoted, it goes from there into memory.
    fn found(&self, key: &EntryKey, entry: Entry) -> Entry {
        let bytes = entry.payload().len() as u64;
        self.tally.count(Outcome::SsdHit, key.name().kind());
        if !self.fits_memory(bytes) {
            self.accessed(key, file_length(bytes), None);
            return entry;
        }
        let held = Held::copy(key, &entry);
        let entry = held.entry.clone();
        self.accessed(key, file_length(bytes), Some(held));
        entry
    }

    /// Counts an access to what lies in a file of this length, whoever has put it there.
    fn accessed(&self, key: &EntryKey, length: u64, held: Option<Held>) {
        let incoming = held.as_ref().map_or(0, Held::bytes);
        let mut books = self.make_room(self.books(), incoming);
        let name = key.name();
        let is_unknown = !books.has(name) && !books.tasks.is_busy(name);
        if is_unknown && !books.restore(*name, Self::facts_of_found(length), &self.tally) {
            return;
        }
        books.access(name, held, &self.tally);
        let has_work = !books.tasks.is_empty();
        drop(books);
        if has_work {
            self.notify();
        }
    }

    pub(super) fn glimpse<'a>(&self, key: &EntryKey, buffer: &'a mut GlimpseBuffer) -> Option<Glimpse<'a>> {
        if self.memory > 0 {
            return match self.books().access_here(key, &self.tally)? {
                (Entry::Bytes(bytes), _) => Some(Glimpse::of_memory(bytes)),
                (Entry::Refused(_), _) => None,
            };
        }
        let glimpse = self.ssd.as_ref()?.directory()?.glimpse(key, buffer)?;
        self.tally.count(Outcome::SsdHit, key.name().kind());
        self.accessed(key, file_length(glimpse.length() as u64), None);
        Some(glimpse)
    }
}
