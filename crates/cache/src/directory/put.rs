//! Entries on their way into the folder: whether there is room, and the file that is counted, written and named.

use std::sync::atomic::Ordering;

use headwater_types::{ByteCount, WriteFault};

use super::Directory;
use crate::entry::Entry;
use crate::error::DirectoryError;
use crate::frame::{Frame, file_length};
use crate::key::EntryKey;
use crate::not_kept::NotKept;
use crate::root::{Root, shard_name};
use crate::shard;
use crate::unfinished::Unfinished;

impl Directory {
    /// Keeps an entry, in place of what is there under its key. An entry that is not kept is counted by its reason, and
    /// the first of each reason is logged.
    ///
    /// # Errors
    /// No room within the limit; what the system refuses. [`DirectoryError::not_kept`] tells them apart.
    pub fn put(&self, key: &EntryKey, entry: &Entry) -> Result<(), DirectoryError> {
        self.count_put(self.attempt(key, entry))
    }

    /// Puts an entry, and counts nothing.
    pub(crate) fn attempt(&self, key: &EntryKey, entry: &Entry) -> Result<(), DirectoryError> {
        match self.try_to_put(key, entry) {
            Err(DirectoryError::Gone { .. }) => self.renew().and_then(|()| self.try_to_put(key, entry)),
            other => other,
        }
    }

    /// Counts what came of an attempt.
    pub(crate) fn count_put(&self, put: Result<(), DirectoryError>) -> Result<(), DirectoryError> {
        match &put {
            Ok(()) => {
                self.counters.kept.add();
                self.blocked.end();
            }
            Err(error) => {
                self.blocked.begin(error.not_kept());
                self.not_kept(error.not_kept(), Some(error));
            }
        }
        put
    }

    /// Whether an entry of so many bytes would be kept now, to save the making of an entry that would not. Such an
    /// entry counts as not kept.
    ///
    /// # Errors
    /// The reason for which it would not be kept.
    pub fn room(&self, bytes: ByteCount) -> Result<(), NotKept> {
        let frame = shard::on_disk(file_length(bytes.get()));
        let why = self.why_no_room(frame);
        why.map_or(Ok(()), |why| {
            self.not_kept(why, None);
            Err(why)
        })
    }

    /// The same where other entries would make way.
    pub(crate) fn room_beside_evictable(&self, bytes: ByteCount) -> Result<(), NotKept> {
        let is_too_large = shard::on_disk(file_length(bytes.get())) > self.limit;
        let is_busy = || (!self.is_counted() || self.is_held_up()).then_some(NotKept::Busy);
        let why = if is_too_large { Some(NotKept::Limit) } else { self.why_gone().or_else(is_busy) };
        why.or_else(|| self.blocked.ask()).map_or(Ok(()), |why| {
            self.not_kept(why, None);
            Err(why)
        })
    }

    /// Why there is no folder, where it was deleted or exchanged and cannot be made anew.
    fn why_gone(&self) -> Option<NotKept> {
        let error = (!self.root().is_at(&self.path)).then(|| self.renew().err())??;
        tracing::debug!(%error, "index");
        Some(error.not_kept())
    }

    fn why_no_room(&self, frame: u64) -> Option<NotKept> {
        if let Some(why) = self.why_gone() {
            return Some(why);
        }
        let usage = self.usage().get();
        if usage.saturating_add(frame) > self.limit {
            return Some(NotKept::Limit);
        }
        if !self.is_counted.load(Ordering::Relaxed) || self.is_held_up() {
            return Some(NotKept::Busy);
        }
        let free = self.free().map_or(u64::MAX, ByteCount::get);
        if free < frame {
            return Some(NotKept::Disk(WriteFault::DiskFull));
        }
        if free < frame.saturating_add(self.floor) {
            return Some(NotKept::Floor);
        }
        self.blocked.ask()
    }

    /// Why nothing is to be tried now, where the disk took nothing the last time. Now and then it is tried again.
    pub(crate) fn blocked(&self) -> Option<NotKept> {
        let why = self.blocked.ask()?;
        self.not_kept(why, None);
        Some(why)
    }

    /// Whether a process that has the lock does not give it back.
    fn is_held_up(&self) -> bool {
        let root = self.root();
        root.ledger.is_held_up() && root.ledger.lock().is_err()
    }

    fn try_to_put(&self, key: &EntryKey, entry: &Entry) -> Result<(), DirectoryError> {
        let (length, most) = (ByteCount::from(entry.payload().len()), key.most());
        if length > most {
            return Err(DirectoryError::TooLong { length, most });
        }
        let root = self.root();
        if !root.is_at(&self.path) {
            return Err(DirectoryError::Gone { path: self.path.clone() });
        }
        let file_length = file_length(length.get());
        let size = shard::on_disk(file_length);
        self.finish(&root, self.begin(&root, key, file_length, size)?, key, entry, size)
    }

    /// Makes the file of this length that is to be written to, once its bytes are counted.
    fn begin(&self, root: &Root, key: &EntryKey, length: u64, size: u64) -> Result<Unfinished, DirectoryError> {
        let shard = key.name().shard();
        let mut ledger = self.lock(root)?;
        let taken = ledger.taken();
        if taken.bytes.saturating_add(size) > self.limit {
            let (path, usage) = (self.path.clone(), ByteCount::new(taken.bytes));
            return Err(DirectoryError::Full { path, usage, limit: self.limit() });
        }
        if !taken.is_all {
            return Err(DirectoryError::Uncounted { path: self.path.clone() });
        }
        if let Some(error) = self.below_floor(size) {
            return Err(error);
        }
        ledger.add(shard, size)?;
        let created =
            root.shard_to_write(shard).and_then(|folder| Unfinished::create(&root.disk, folder, root.modes, length));
        created.or_else(|error| {
            ledger.subtract(shard, size)?;
            Err(DirectoryError::io("write to", &self.path.join(shard_name(shard)))(error))
        })
    }

    /// What is to be said where the file system would have less than the floor left.
    fn below_floor(&self, size: u64) -> Option<DirectoryError> {
        let floor = ByteCount::new(self.floor);
        let free = (self.floor > 0).then(|| self.free())??;
        let is_below = free.get() < size.saturating_add(self.floor);
        is_below.then(|| DirectoryError::Floor { path: self.path.clone(), free, floor })
    }

    /// Writes the entry and gives the file its name.
    fn finish(
        &self,
        root: &Root,
        unfinished: Unfinished,
        key: &EntryKey,
        entry: &Entry,
        size: u64,
    ) -> Result<(), DirectoryError> {
        let (frame, name) = (Frame::seal(key, entry), key.name().in_shard());
        let written = unfinished.write_all(frame.as_bytes()).and_then(|()| unfinished.write_all(entry.payload()));
        let mut ledger = self.lock(root)?;
        let replaced = unfinished.replaces(&name).map_or(0, shard::on_disk);
        let gone = written.and_then(|()| unfinished.name(&name)).map(|()| replaced);
        ledger.subtract(key.name().shard(), *gone.as_ref().unwrap_or(&size))?;
        gone.map(|_| ()).map_err(DirectoryError::io("write", &self.path_of(key.name())))
    }

    fn not_kept(&self, why: NotKept, error: Option<&DirectoryError>) {
        if self.counters.not_kept[why.place()].add() == 0 {
            tracing::warn!(
                path = %self.path.display(),
                reason = why.as_str(),
                error = error.map(tracing::field::display),
                usage_bytes = self.usage().get(),
                limit_bytes = self.limit,
                free_bytes = self.free().map(ByteCount::get),
                "photos are not kept in the index: {}; more are only counted",
                why.remedy()
            );
        }
    }
}
