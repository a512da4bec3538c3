//! A cache of two tiers: memory over an SSD.
//!
//! ```text
//!  get ──▶ books: in memory, or waiting? ──▶ the bytes
//!            │ neither
//!            └──▶ Directory: the file ──▶ promoted: into memory, and the file is removed
//!  put ──▶ room in memory? else wait, and help to write ──▶ books: Tiers decides what moves
//!                                                             └─▶ tasks: files to write and to remove ──▶ Directory
//! ```
//!
//! Invariants: no entry is in both tiers. The bytes of entries in memory, in its tier and on their way to the SSD, are
//! never more than the limit: who puts faster than the disk writes waits for it. An entry that leaves is counted. A
//! disk that fails costs hits, never a wrong byte, and no caller's progress.

#[cfg(test)]
mod tests;

mod books;
mod get;
mod put;
mod report;
mod restart;
mod row;
mod settings;
mod shared;
mod ssd;
mod tasks;
mod work;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use headwater_policy::{Facts, Tier};
use headwater_types::ByteCount;

use self::shared::Shared;
use self::ssd::Ssd;
use crate::disk::Disk;
use crate::entry::Entry;
use crate::error::DirectoryError;
use crate::flight::{Flight, Flights};
use crate::glimpse::{Glimpse, GlimpseBuffer};
use crate::key::EntryKey;
use crate::latency::Source;
use crate::living::Living;
use crate::not_kept::NotKept;
use crate::outcome::Outcome;
use crate::shard::Swept;
use crate::worth::{Kept, Worth};

pub use settings::{CacheError, CacheSettings, SsdSettings};

/// A cache. Dropped, it writes what waits to be written; [`Self::close`] keeps what is in memory too.
pub struct Cache {
    shared: Arc<Shared>,
    flights: Flights,
    writer: Mutex<Option<JoinHandle<()>>>,
}

// === impl Cache ===

impl Cache {
    /// Opens a cache, with what its folder has kept: some microseconds for each entry.
    ///
    /// # Errors
    /// A limit that is too low to work; a folder that is something else, or that this user may not use. A disk that
    /// does not work now is none: the cache then works without its SSD tier, and tries again now and then.
    pub fn open(settings: CacheSettings) -> Result<Self, CacheError> {
        Self::open_on(Disk::default(), settings)
    }

    fn open_on(disk: Disk, mut settings: CacheSettings) -> Result<Self, CacheError> {
        settings.check()?;
        let with_ssd = settings.ssd.take().filter(|ssd| ssd.limit.get() > 0);
        let ssd = with_ssd.map(|settings| Ssd::open(disk, settings)).transpose()?;
        let shared = Arc::new(Shared::new(&settings, ssd));
        shared.open();
        let writer = shared.ssd.is_some().then(|| {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new().name("cache-writer".into()).spawn(move || shared.work_until_closed())
        });
        let writer = writer.transpose().map_err(|source| CacheError::Thread { source })?;
        Ok(Self { shared, flights: Flights::default(), writer: Mutex::new(writer) })
    }

    /// An entry whose bytes are in this process: it never waits for a disk. `None` says nothing of the SSD's tier.
    pub fn get_in_memory(&self, key: &EntryKey) -> Option<(Entry, Tier)> {
        self.shared.books().access_here(key, &self.shared.tally)
    }

    /// An entry, and where it was found. May wait for the disk.
    pub fn get(&self, key: &EntryKey) -> Option<(Entry, Tier)> {
        let found = self.shared.get(key);
        if found.is_none() {
            self.shared.tally.count(Outcome::Miss, key.name().kind());
        }
        found
    }

    /// The same for one who has missed the entry before, and now leads a flight: another miss is not counted.
    pub fn get_again(&self, key: &EntryKey) -> Option<(Entry, Tier)> {
        self.shared.get(key)
    }

    /// A part of an entry that was made and lies in memory, the cache's or the system's, without waiting for the disk.
    /// `None` says nothing: [`Self::get`] knows. Where the cache has memory of its own, an entry on the SSD is for
    /// [`Self::get`], which promotes it.
    pub fn glimpse<'a>(&self, key: &EntryKey, buffer: &'a mut GlimpseBuffer) -> Option<Glimpse<'a>> {
        self.shared.glimpse(key, buffer)
    }

    /// Keeps an entry, in place of what is there under its key, if it is worth its place. Waits for the disk where
    /// memory is full of entries that have not been written yet, and where the entry goes to the SSD at once. The
    /// cache has a copy: an entry that is a part of something larger does not keep that.
    pub fn put(&self, key: &EntryKey, entry: &Entry, worth: &Worth) -> Kept {
        self.shared.keep(key, entry, worth)
    }

    /// Whether an entry of so many bytes would find a place now, to save the making of an entry that would not.
    ///
    /// # Errors
    /// The reason for which it would not be kept.
    pub fn room(&self, bytes: ByteCount) -> Result<(), NotKept> {
        self.shared.room(bytes)
    }

    /// Who is to bring an entry that was not found. A leader looks once more ([`Self::get_again`]), since another may
    /// have brought it in between, and puts it before it lands.
    pub fn flight(&self, key: &EntryKey) -> Flight {
        self.flights.join(*key.digest())
    }

    /// The entry, or what `make` brings where it is not there: of many threads that ask for an absent key, one brings
    /// it. May wait for the disk, and for whoever brings it.
    ///
    /// # Errors
    /// Those of `make`. Others that waited try for themselves.
    pub fn get_or_make<E>(
        &self,
        key: &EntryKey,
        worth: &Worth,
        make: impl FnOnce() -> Result<Entry, E>,
    ) -> Result<Entry, E> {
        if let Some((entry, _)) = self.get(key) {
            return Ok(entry);
        }
        loop {
            match self.flight(key) {
                Flight::Follow(follow) => {
                    let begun = Instant::now();
                    if let Some(entry) = follow.wait() {
                        self.count(Outcome::Coalesced, key.name().kind(), 1);
                        self.took(Source::Coalesced, begun.elapsed());
                        return Ok(entry);
                    }
                }
                Flight::Lead(lead) => {
                    let entry = match self.get_again(key) {
                        Some((entry, _)) => entry,
                        None => self.make(key, worth, make)?,
                    };
                    lead.land(entry.clone());
                    return Ok(entry);
                }
            }
        }
    }

    fn make<E>(&self, key: &EntryKey, worth: &Worth, make: impl FnOnce() -> Result<Entry, E>) -> Result<Entry, E> {
        let begun = Instant::now();
        let entry = make()?;
        self.took(Source::Origin, begun.elapsed());
        self.count(Outcome::Origin, key.name().kind(), 1);
        self.put(key, &entry, worth);
        Ok(entry)
    }

    /// Changes what is known of an entry: what it costs, how much it matters, when it is used next. Counts at once.
    pub fn update(&self, key: &EntryKey, change: impl FnOnce(&mut Facts)) {
        self.shared.books().update(key.name(), change);
    }

    /// Nothing is expected any more before this position of the announced order.
    pub fn advance(&self, position: u64) {
        self.shared.books().advance(position);
    }

    /// Where an entry is. Counts nothing, and does not look at the disk.
    pub fn find(&self, key: &EntryKey) -> Option<Tier> {
        self.shared.books().find(key.name())
    }

    /// Removes files that were abandoned and entries that are dead, and counts the folder: see
    /// [`Directory::sweep`](crate::Directory::sweep). Without a folder there is nothing to sweep but memory.
    ///
    /// # Errors
    /// What the system refuses; a lock that another process does not give back.
    pub fn sweep(&self, living: Option<&Living>, go_on: impl Fn(usize) -> bool) -> Result<Swept, DirectoryError> {
        if let Some(living) = living {
            self.shared.books().drop_dead(|name| living.lacks(name), &self.shared.tally);
        }
        match self.shared.ssd.as_ref().and_then(Ssd::directory) {
            Some(directory) => {
                let swept = directory.sweep(living, go_on)?;
                self.shared.learn(&directory);
                Ok(swept)
            }
            None => Ok(Swept::default()),
        }
    }

    /// Waits until everything that was demoted is written, and everything that was evicted is removed.
    pub fn settle(&self) {
        self.shared.settle();
    }

    /// Demotes what is in memory, so that the next process finds it, as much as can be written in this time; then
    /// writes what waits. The cache can still be used, and is as it was, but that its memory is empty.
    pub fn close(&self, time: Duration) {
        self.shared.empty_memory(time);
        self.settle();
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        self.shared.close();
        let writer = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if writer.is_some_and(|writer| writer.join().is_err()) {
            tracing::error!("the cache's writer panicked");
        }
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("memory", &self.shared.memory).finish_non_exhaustive()
    }
}
