//! Entries on their way in.

use std::sync::MutexGuard;
use std::time::Instant;

use headwater_policy::Tier;
use headwater_types::ByteCount;

use super::books::Books;
use super::row::Held;
use super::shared::Shared;
use super::tasks::Task;
use crate::entry::Entry;
use crate::key::EntryKey;
use crate::latency::Source;
use crate::not_kept::NotKept;
use crate::outcome::Outcome;
use crate::worth::{Kept, Rejected, Worth};

impl Shared {
    pub(super) fn keep(&self, key: &EntryKey, entry: &Entry, worth: &Worth) -> Kept {
        let kept = self.take_in(key, entry, worth);
        let outcome = if matches!(kept, Kept::In(_)) { Outcome::Admitted } else { Outcome::Rejected };
        self.tally.count(outcome, key.name().kind());
        kept
    }

    fn take_in(&self, key: &EntryKey, entry: &Entry, worth: &Worth) -> Kept {
        let bytes = entry.payload().len() as u64;
        let facts = Self::facts(bytes, worth);
        let fits_memory = self.fits_memory(bytes);
        if ByteCount::new(bytes) > key.most() || !(fits_memory || facts.ssd_bytes <= self.ssd_limit().get()) {
            self.evict(key);
            return Kept::Not(Rejected::TooLarge);
        }
        let held = if fits_memory { Held::copy(key, entry) } else { Held { key: *key, entry: entry.clone() } };
        let mut books = self.make_room(self.books(), if fits_memory { bytes } else { 0 });
        let admitted = books.admit(held.clone(), facts, &self.tally);
        if let Some((Tier::Ssd, ticket)) = admitted {
            return self.write_now(books, &held, ticket);
        }
        drop(books);
        self.notify();
        admitted.map_or(Kept::Not(Rejected::WorthLess), |(tier, _)| Kept::In(tier))
    }

    /// Removes what is there under a key, in the books or not: whoever puts something else there, which is not kept,
    /// has made it stale.
    fn evict(&self, key: &EntryKey) {
        let mut books = self.books();
        books.remove(key.name(), &self.tally);
        drop(books);
        self.notify();
    }

    /// Writes an entry on this thread, once those are gone that made way for it, and nobody does anything for it.
    fn write_now<'a>(&'a self, mut books: MutexGuard<'a, Books>, held: &Held, ticket: u64) -> Kept {
        let name = held.key.name();
        while !books.tasks.begin(name) {
            drop(books);
            let worked = self.do_one(|_| true);
            books = self.books();
            if !worked && books.tasks.is_busy(name) {
                books = self.wait(books);
            }
        }
        drop(books);
        while self.do_one(Task::is_removal) {}
        let written = self.write(held, ticket);
        let mut books = self.books();
        books.end(&Task::Write(*name, ticket));
        if written == Ok(false) && !books.has(name) {
            self.tally.count(Outcome::Evicted, name.kind());
        }
        drop(books);
        self.notify();
        written.map_or_else(|why| Kept::Not(Rejected::NotKept(why)), |_| Kept::In(Tier::Ssd))
    }

    /// Waits until memory has room for so many bytes beside what it holds. Nothing is dropped for it: what has to go is
    /// demoted, and whoever waits helps to write it.
    pub(super) fn make_room<'a>(&'a self, mut books: MutexGuard<'a, Books>, bytes: u64) -> MutexGuard<'a, Books> {
        if self.ssd.is_none() || books.held().saturating_add(bytes) <= self.memory {
            return books;
        }
        let begun = Instant::now();
        while bytes > 0 && books.held().saturating_add(bytes) > self.memory {
            if books.waiting() == 0 && !books.demote_to(self.memory.saturating_sub(bytes), &self.tally) {
                break;
            }
            drop(books);
            let worked = self.do_one(|_| true);
            books = self.books();
            if !worked && books.waiting() > 0 {
                books = self.wait(books);
            }
        }
        self.stopwatches.took(Source::Stalled, begun.elapsed());
        books
    }

    /// Whether an entry of so many bytes would find a place.
    pub(super) fn room(&self, bytes: ByteCount) -> Result<(), NotKept> {
        if self.fits_memory(bytes.get()) {
            return Ok(());
        }
        let ssd = self.ssd.as_ref().ok_or(NotKept::Limit)?;
        let Some(directory) = ssd.directory() else { return Err(ssd.why()) };
        directory.room_beside_evictable(bytes)
    }
}
