//! The work on the disk: entries that are written and removed, in the order of the books. Whoever waits for room helps,
//! so that nothing waits for a thread that is not there.

use std::sync::atomic::Ordering;

use super::row::Held;
use super::shared::Shared;
use super::ssd::Ssd;
use super::tasks::Task;
use crate::directory::Directory;
use crate::error::DirectoryError;
use crate::frame::file_length;
use crate::name::EntryName;
use crate::not_kept::NotKept;
use crate::outcome::Outcome;
use crate::shard::on_disk;

/// How often an entry is tried again that finds the folder full: each time, others have gone, or are known.
const TRIES: usize = 64;

impl Shared {
    /// What the writing thread does until the cache is closed, and nothing is left to do.
    pub(super) fn work_until_closed(&self) {
        loop {
            self.count_folder();
            self.work();
            let books = self.books();
            if books.tasks.is_empty() && !self.is_uncounted.load(Ordering::Relaxed) {
                if self.is_closed() {
                    return;
                }
                drop(self.wait_for_work(books));
            }
        }
    }

    /// Does what is to be done.
    pub(super) fn work(&self) {
        while self.do_one(|_| true) {}
    }

    /// Does the first thing that is wanted; `false` where there is none that can be done now.
    pub(super) fn do_one(&self, wanted: impl Fn(&Task) -> bool) -> bool {
        let mut books = self.books();
        let Some(task) = books.tasks.take(wanted) else { return false };
        let to_write = match task {
            Task::Write(name, ticket) => books.to_write(&name, ticket).map(|held| (held, ticket)),
            Task::Remove(_) => None,
        };
        drop(books);
        match (task, to_write) {
            (Task::Remove(name), _) => self.remove(&name),
            (Task::Write(..), Some((held, ticket))) => {
                let _ = self.write(&held, ticket);
            }
            // It was promoted or evicted in the meantime.
            (Task::Write(..), None) => {}
        }
        self.books().end(&task);
        self.notify();
        true
    }

    /// Writes an entry that the books have under this ticket; whether it is still wanted once it is written.
    pub(super) fn write(&self, held: &Held, ticket: u64) -> Result<bool, NotKept> {
        let name = held.key.name();
        let written = self.put(held, ticket);
        let is_wanted = self.books().written(name, ticket, written.is_ok(), &self.tally);
        if written.is_ok() && !is_wanted {
            self.remove(name);
        }
        written.map(|()| is_wanted)
    }

    /// Puts an entry's file. Where the folder is full all the same, others have filled it: then somebody has to go, if
    /// the policy lets anybody go, or if the folder is above its limits already.
    fn put(&self, held: &Held, ticket: u64) -> Result<(), NotKept> {
        let Some(directory) = self.ssd.as_ref().and_then(Ssd::directory) else {
            return Err(self.ssd.as_ref().map_or(NotKept::Limit, Ssd::why));
        };
        if let Some(why) = directory.blocked() {
            return Err(why);
        }
        let size = on_disk(file_length(held.bytes()));
        for _ in 0..TRIES {
            match directory.attempt(&held.key, &held.entry) {
                Err(error)
                    if is_full(&error, !self.never_evicts)
                        && self.make_way(&directory, size)
                        && self.books().ticket(held.key.name()) == Some(ticket) => {}
                other => {
                    if matches!(other, Err(DirectoryError::Uncounted { .. })) {
                        self.is_uncounted.store(true, Ordering::Relaxed);
                    }
                    return directory.count_put(other).map_err(|error| error.not_kept());
                }
            }
        }
        directory.put(&held.key, &held.entry).map_err(|error| error.not_kept())
    }

    /// Makes room in the folder for so many bytes; `false` where there is nothing left to go.
    fn make_way(&self, directory: &Directory, size: u64) -> bool {
        if self.do_one(Task::is_removal) {
            return true;
        }
        let mut books = self.books();
        if books.tasks.has_removals() {
            drop(self.wait(books));
            return true;
        }
        if !books.evict_from_ssd(size, &self.tally) {
            drop(books);
            return self.learn(directory);
        }
        drop(books);
        self.do_one(Task::is_removal);
        true
    }

    fn remove(&self, name: &EntryName) {
        let Some(directory) = self.ssd.as_ref().and_then(Ssd::directory) else { return };
        if let Err(error) = directory.remove(name) {
            // The file stays, and counts; whoever reads the folder anew finds it.
            self.tally.count(Outcome::Unreadable, name.kind());
            tracing::debug!(%error, "cache");
        }
    }
}

/// Whether the folder has no room for an entry, or has more already than it may.
fn is_full(error: &DirectoryError, for_one_more: bool) -> bool {
    match error {
        DirectoryError::Full { usage, limit, .. } => for_one_more || usage > limit,
        DirectoryError::Floor { free, floor, .. } => for_one_more || free < floor,
        _ => false,
    }
}
