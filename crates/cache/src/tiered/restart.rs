//! The books of what lies in the folder already: at start, and where others have filled it.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::shared::Shared;
use super::ssd::Ssd;
use super::tasks::Task;
use crate::directory::Directory;
use crate::error::DirectoryError;
use crate::name::EntryName;
use crate::outcome::Outcome;
use crate::shard::{Found, on_disk};

impl Shared {
    /// Begins with what the folder has. What cannot be read is not known, and found all the same when it is asked for.
    pub(super) fn open(&self) {
        let Some(directory) = self.ssd.as_ref().and_then(Ssd::directory) else { return };
        let restored = self.restore(&directory).and_then(|()| match directory.usage() > directory.limit() {
            // What is in nobody's books: it is counted anew, without what was abandoned.
            true => directory.sweep(None, |_| true).map(|_| ()),
            false => Ok(()),
        });
        self.is_uncounted.store(!directory.is_counted(), Ordering::Relaxed);
        if let Err(error) = restored {
            tracing::warn!(%error, "the cache does not know what its folder has");
        }
    }

    /// Counts the folder where nothing is put until that is done. Others do the same: each shard is counted under the
    /// lock, and it is no matter how often.
    pub(super) fn count_folder(&self) {
        let Some(directory) = self.ssd.as_ref().and_then(Ssd::directory) else { return };
        if self.is_uncounted.swap(false, Ordering::Relaxed)
            && let Err(error) = directory.sweep(None, |_| !self.is_closed())
        {
            tracing::warn!(%error, "the cache's folder cannot be counted: nothing is put there");
        }
    }

    /// Demotes what is in memory, part by part, for so long.
    pub(super) fn empty_memory(&self, time: Duration) {
        /// Parts of memory.
        const PARTS: u64 = 64;
        let begun = Instant::now();
        for left in (0..PARTS).rev().take_while(|_| self.ssd.is_some() && begun.elapsed() < time) {
            let demoted = self.books().demote_to(self.memory / PARTS * left, &self.tally);
            if demoted {
                self.work();
            }
        }
    }

    /// Takes everything into the books that lies in the folder, as far as the limit goes: of more than that, what was
    /// written first goes, before anything is served.
    pub(super) fn restore(&self, directory: &Directory) -> Result<(), DirectoryError> {
        let found = directory.list()?;
        let (mut room, mut from) = (directory.limit().get(), found.len());
        while let Some(newest) = from.checked_sub(1) {
            let Some(rest) = room.checked_sub(on_disk(found[newest].length)) else { break };
            (room, from) = (rest, newest);
        }
        let mut books = self.books();
        for outdated in &found[..from] {
            books.tasks.push(Task::Remove(outdated.name));
            self.tally.count(Outcome::Evicted, outdated.name.kind());
        }
        for found in &found[from..] {
            if !books.restore(found.name, Self::facts_of_found(found.length), &self.tally) {
                books.tasks.push(Task::Remove(found.name));
                self.tally.count(Outcome::Evicted, found.name.kind());
            }
        }
        drop(books);
        self.work();
        Ok(())
    }

    /// Takes into the books what others have put into the folder since; `false` where there is nothing that was not
    /// known.
    pub(super) fn learn(&self, directory: &Directory) -> bool {
        let Ok(found) = directory.list() else { return false };
        let there: HashSet<EntryName> = found.iter().map(|found| found.name).collect();
        let mut books = self.books();
        books.forget_missing(&there);
        let unknown = |found: &&Found| !books.has(&found.name) && !books.tasks.is_busy(&found.name);
        let unknown: Vec<_> = found.iter().filter(unknown).copied().collect();
        let learned =
            unknown.iter().filter(|found| books.restore(found.name, Self::facts_of_found(found.length), &self.tally));
        learned.count() > 0
    }
}
