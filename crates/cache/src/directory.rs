//! Entries in a folder, each in a file of its own.
//!
//! ```text
//! DIR/usage                               bytes on disk, and the lock: see the ledger
//! DIR/3f/0123456789abcdef0123456789abcd   one entry's frame
//! DIR/3f/_Xy12zW                          one that is being written
//! ```
//!
//! A file is written under another name and renamed, so that a killed process leaves a whole frame or none. It is not synced: after a
//! power cut a frame may be torn, which its checksum tells, and then it is made again. Two syncs would cost more than making it.

use std::fs::{DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use headwater_types::{ByteCount, WriteFault};
use rustix::buffer::spare_capacity;
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use tempfile::NamedTempFile;

use crate::counters::{Counters, Counts};
use crate::entry::Entry;
use crate::error::DirectoryError;
use crate::frame::{Frame, FrameError, Head};
use crate::glimpse::{Glimpse, GlimpseBuffer};
use crate::key::EntryKey;
use crate::ledger::{self, Account, Ledger};
use crate::not_kept::{Blocked, NotKept};
use crate::shard;

/// A folder of entries, within a limit of bytes. Every call blocks on the disk. Several processes may have the same folder
/// open.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    root: File,
    limit: u64,
    ledger: Ledger,
    /// As last read: for when the ledger is being written.
    usage: AtomicU64,
    counters: Counters,
    blocked: Blocked,
}

// === impl Directory ===

impl Directory {
    /// Opens a folder, or makes it, for this user only: it holds copies of the photos. Looks at no entry, unless the ledger is
    /// lost: then at each.
    ///
    /// # Errors
    /// A folder that holds other files or is of another version; what the system refuses.
    pub fn open(path: &Path, limit: ByteCount) -> Result<Self, DirectoryError> {
        let make = |path: &Path| DirBuilder::new().recursive(true).mode(0o700).create(path);
        make(path).map_err(DirectoryError::io("make the folder", path))?;
        let path = path.canonicalize().map_err(DirectoryError::io("open", path))?;
        let root = File::open(&path).map_err(DirectoryError::io("open", &path))?;
        if !is_ours(&path).map_err(DirectoryError::io("read", &path))? {
            return Err(DirectoryError::NotOurs { path });
        }
        let ledger = Ledger::open(path.join(ledger::NAME))?;
        let (usage, counters, blocked) = Default::default();
        let directory = Self { path, root, limit: limit.get(), ledger, usage, counters, blocked };
        drop(directory.account()?);
        Ok(directory)
    }

    /// What is kept under this key, if anything: one open, one read, one close, one pass for the checksum, no copy.
    ///
    /// # Errors
    /// What the system refuses. A frame that is not what was put is counted, removed and no error.
    pub fn get(&self, key: &EntryKey) -> Result<Option<Entry>, DirectoryError> {
        let frame = match self.file(key) {
            Ok(file) => read(&file, key).map_err(DirectoryError::io("read", &self.path_of(key)))?,
            Err(Errno::NOENT) => {
                self.counters.misses.add();
                return Ok(None);
            }
            // A symbolic link: nothing that was put here.
            Err(Errno::LOOP) => Bytes::new(),
            Err(error) => return Err(DirectoryError::io("open", &self.path_of(key))(error.into())),
        };
        match Frame::open(frame, key) {
            Ok(entry) => {
                self.counters.hits.add();
                Ok(Some(entry))
            }
            Err(error) => {
                self.counters.misses.add();
                self.discard(key, error)?;
                Ok(None)
            }
        }
    }

    /// The same for an entry that is wanted in part and now: what was made, and lies in memory. `None` says nothing: ask
    /// [`Self::get`].
    pub fn glimpse<'a>(&self, key: &EntryKey, buffer: &'a mut GlimpseBuffer) -> Option<Glimpse<'a>> {
        let glimpse = Glimpse::of(self.file(key).ok()?, key, buffer)?;
        self.counters.hits.add();
        Some(glimpse)
    }

    /// Keeps an entry; replaces what is there under its key. What is not kept is counted by its reason, and the first of each told.
    ///
    /// # Errors
    /// No room within the limit; what the system refuses. [`DirectoryError::not_kept`] tells them apart.
    pub fn put(&self, key: &EntryKey, entry: &Entry) -> Result<(), DirectoryError> {
        let put = self.try_to_put(key, entry);
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

    /// Bytes that the entries take on disk, in whole blocks.
    pub fn usage(&self) -> ByteCount {
        if let Some(usage) = self.ledger.peek() {
            self.usage.store(usage, Ordering::Relaxed);
        }
        ByteCount::new(self.usage.load(Ordering::Relaxed))
    }

    /// Whether there are no entries. Once there are, this is a look at memory.
    pub fn is_empty(&self) -> bool {
        self.usage.load(Ordering::Relaxed) == 0 && self.usage().get() == 0
    }

    /// The most that they may take.
    pub fn limit(&self) -> ByteCount {
        ByteCount::new(self.limit)
    }

    /// Whether an entry of so many bytes would be kept now, to save the making of one that would not: such a one counts as not
    /// kept.
    ///
    /// # Errors
    /// Why it would not.
    pub fn room(&self, bytes: ByteCount) -> Result<(), NotKept> {
        let frame = shard::on_disk(Frame::file_length(bytes.get()));
        let why = if self.usage().get().saturating_add(frame) > self.limit {
            Some(NotKept::Limit)
        } else if self.free().is_some_and(|free| free.get() < frame) {
            Some(NotKept::Disk(WriteFault::DiskFull))
        } else {
            self.blocked.ask()
        };
        why.map_or(Ok(()), |why| {
            self.not_kept(why, None);
            Err(why)
        })
    }

    /// Bytes that this user can still write to the folder's file system, quotas aside; `None` where it does not say. None at all where
    /// it has no room for further files.
    pub fn free(&self) -> Option<ByteCount> {
        let disk = rustix::fs::fstatvfs(&self.root).ok()?;
        let takes_files = disk.f_files == 0 || disk.f_favail > 0;
        Some(ByteCount::new(if takes_files { disk.f_bavail.saturating_mul(disk.f_frsize) } else { 0 }))
    }

    /// What was done here since it was opened.
    pub fn counts(&self) -> Counts {
        self.counters.read()
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes files that were abandoned while they were written, and counts the rest, so that the usage is exact whatever
    /// has happened to the folder. Takes a few microseconds for each entry; others can get and put meanwhile.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn recount(&self) -> Result<ByteCount, DirectoryError> {
        for shard in 0..=u8::MAX {
            let mut account = self.account()?;
            account.set(shard, self.count(shard)?)?;
        }
        Ok(self.usage())
    }

    fn try_to_put(&self, key: &EntryKey, entry: &Entry) -> Result<(), DirectoryError> {
        let (length, most) = (ByteCount::from(entry.payload().len()), key.most());
        if length > most {
            return Err(DirectoryError::TooLong { length, most });
        }
        let file_length = Frame::file_length(length.get());
        let size = shard::on_disk(file_length);
        self.finish(self.begin(key, file_length, size)?, key, entry, size)
    }

    /// An entry's file.
    fn file(&self, key: &EntryKey) -> Result<File, Errno> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        rustix::fs::openat(&self.root, &key.path()[..], flags, Mode::empty()).map(File::from)
    }

    /// A file of this length to be written to, counted already.
    fn begin(&self, key: &EntryKey, length: u64, size: u64) -> Result<NamedTempFile, DirectoryError> {
        let folder = self.shard(key.shard());
        let mut account = self.account()?;
        if account.total().saturating_add(size) > self.limit {
            let (path, usage) = (self.path.clone(), ByteCount::new(account.total()));
            return Err(DirectoryError::Full { path, usage, limit: self.limit() });
        }
        account.add(key.shard(), size)?;
        shard::begin(&folder, length).or_else(|error| {
            account.subtract(key.shard(), size)?;
            Err(DirectoryError::io("write to", &folder)(error))
        })
    }

    /// Writes, and gives the file its name.
    fn finish(&self, file: NamedTempFile, key: &EntryKey, entry: &Entry, size: u64) -> Result<(), DirectoryError> {
        let frame = Frame::seal(key, entry);
        let written = (|| {
            file.as_file().write_all(frame.as_bytes())?;
            file.as_file().write_all(entry.payload())
        })();
        let path = self.path_of(key);
        let mut account = self.account()?;
        let replaced = std::fs::symlink_metadata(&path).map_or(0, |old| shard::on_disk(old.len()));
        let gone = written.and_then(|()| match file.persist(&path) {
            Ok(_) => Ok(replaced),
            Err(error) => Err(error.error),
        });
        account.subtract(key.shard(), *gone.as_ref().unwrap_or(&size))?;
        gone.map(|_| ()).map_err(DirectoryError::io("write", &path))
    }

    /// Removes what is in an entry's place.
    fn discard(&self, key: &EntryKey, why: FrameError) -> Result<(), DirectoryError> {
        let path = self.path_of(key);
        if self.counters.corrupt.add() == 0 {
            tracing::warn!(path = %path.display(), %why, "a broken entry is removed, to be made again; more are only counted");
        }
        let mut account = self.account()?;
        let size = std::fs::symlink_metadata(&path).map_or(0, |old| shard::on_disk(old.len()));
        match rustix::fs::unlinkat(&self.root, &key.path()[..], AtFlags::empty()) {
            Ok(()) => account.subtract(key.shard(), size),
            // Another process was faster.
            Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(DirectoryError::io("remove", &path)(error.into())),
        }
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

    /// The ledger, locked, with every shard counted.
    fn account(&self) -> Result<Account<'_>, DirectoryError> {
        let mut account = self.ledger.lock()?;
        if account.is_unknown() {
            account.set_all(&(0..=u8::MAX).map(|shard| self.count(shard)).collect::<Result<Vec<_>, _>>()?)?;
        }
        self.usage.store(account.total(), Ordering::Relaxed);
        Ok(account)
    }

    /// To be called with the ledger locked.
    fn count(&self, shard: u8) -> Result<u64, DirectoryError> {
        let folder = self.shard(shard);
        shard::count(&folder).map_err(DirectoryError::io("read", &folder))
    }

    fn shard(&self, shard: u8) -> PathBuf {
        self.path.join(format!("{shard:02x}"))
    }

    fn path_of(&self, key: &EntryKey) -> PathBuf {
        self.path.join(String::from_utf8_lossy(&key.path()).as_ref())
    }
}

/// Most bytes that are read before the frame has said its length.
const AT_FIRST: usize = 1 << 20;

/// The frame: for nearly every entry in one read.
fn read(file: &File, key: &EntryKey) -> io::Result<Bytes> {
    let most = usize::try_from(Frame::file_length(key.most().get())).unwrap_or(usize::MAX);
    // One byte further than it may have, to see that the file ends there.
    let mut bytes = Vec::with_capacity(most.min(AT_FIRST) + 1);
    loop {
        let read = rustix::io::retry_on_intr(|| rustix::io::read(file, spare_capacity(&mut bytes)))?;
        // A file gives less than was asked for at its end only.
        if read == 0 || bytes.len() < bytes.capacity() {
            return Ok(bytes.into());
        }
        let claimed = Head::claimed_file(&bytes).filter(|claimed| *claimed <= most as u64);
        let Some(more) = claimed.and_then(|claimed| claimed.checked_sub(bytes.len() as u64)) else {
            // Longer than it may be, or than it says: no frame, whatever else is in it.
            return Ok(Bytes::new());
        };
        bytes.reserve_exact(more as usize + 1);
    }
}

/// Whether nothing but this crate's own lies in the folder.
fn is_ours(path: &Path) -> io::Result<bool> {
    for entry in std::fs::read_dir(path)? {
        let name = entry?.file_name();
        let name = name.as_encoded_bytes();
        let is_shard = name.len() == 2 && name.iter().all(u8::is_ascii_hexdigit);
        if !is_shard && name != ledger::NAME.as_bytes() {
            return Ok(false);
        }
    }
    Ok(true)
}
