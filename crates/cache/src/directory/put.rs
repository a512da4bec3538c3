//! Entries on their way into the folder: whether there is room, and the file that is counted, written and named.

use std::io::Write as _;
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
        let put = match self.try_to_put(key, entry) {
            Err(DirectoryError::Gone { .. }) => self.renew().and_then(|()| self.try_to_put(key, entry)),
            other => other,
        };
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

    fn why_no_room(&self, frame: u64) -> Option<NotKept> {
        if !self.root().is_at(&self.path)
            && let Err(error) = self.renew()
        {
            tracing::debug!(%error, "index");
            return Some(error.not_kept());
        }
        let usage = self.usage().get();
        if usage.saturating_add(frame) > self.limit {
            return Some(NotKept::Limit);
        }
        if !self.is_counted.load(Ordering::Relaxed) || self.is_held_up() {
            return Some(NotKept::Busy);
        }
        if self.free().is_some_and(|free| free.get() < frame) {
            return Some(NotKept::Disk(WriteFault::DiskFull));
        }
        self.blocked.ask()
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
        ledger.add(shard, size)?;
        root.shard_to_write(shard).and_then(|folder| Unfinished::create(folder, length)).or_else(|error| {
            ledger.subtract(shard, size)?;
            Err(DirectoryError::io("write to", &self.path.join(shard_name(shard)))(error))
        })
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
        let written = (|| {
            let mut file = unfinished.file();
            file.write_all(frame.as_bytes())?;
            file.write_all(entry.payload())
        })();
        let mut ledger = self.lock(root)?;
        let replaced = unfinished.replaces(&name).map_or(0, shard::on_disk);
        let gone = written.and_then(|()| unfinished.name(&name)).map(|()| replaced);
        ledger.subtract(key.name().shard(), *gone.as_ref().unwrap_or(&size))?;
        gone.map(|_| ()).map_err(DirectoryError::io("write", &self.path_of(key)))
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
