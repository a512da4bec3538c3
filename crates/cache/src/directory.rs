//! Entries in a folder, each in a file of its own.
//!
//! ```text
//! DIR/usage          bytes on disk, and the lock: see the ledger
//! DIR/3f/NAME        one entry's frame: see the name
//! DIR/3f/_8c5f...    one that is being written
//! ```
//!
//! A file is written under another name and renamed, so that a killed process leaves a whole frame or none. It is not synced: after a
//! power cut a frame may be torn, which its checksum tells, and then it is made again. Two syncs would cost more than making it.
//!
//! A folder that was deleted or exchanged under a running program is made anew by the first that has something to put there.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use headwater_types::{ByteCount, WriteFault};
use rustix::buffer::spare_capacity;
use rustix::fs::AtFlags;
use rustix::io::Errno;

use crate::counters::{Counters, Counts};
use crate::entry::Entry;
use crate::error::DirectoryError;
use crate::frame::{Frame, FrameError, Head};
use crate::glimpse::{Glimpse, GlimpseBuffer};
use crate::key::EntryKey;
use crate::ledger::{Account, Taken};
use crate::living::Living;
use crate::not_kept::{Blocked, NotKept};
use crate::root::{Root, shard_name};
use crate::shard::{self, Swept};
use crate::unfinished::Unfinished;

/// A folder of entries, within a limit of bytes. Every call blocks on the disk. Several processes may have the same folder
/// open.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    /// Exchanged where the folder was.
    root: RwLock<Arc<Root>>,
    limit: u64,
    /// As last read: for when the ledger is being written.
    usage: AtomicU64,
    is_counted: AtomicBool,
    counters: Counters,
    blocked: Blocked,
}

/// How often, and how many times, a sweep asks for the lock of a shard before it gives up.
const SWEEP_PAUSE: Duration = Duration::from_millis(100);
const SWEEP_TRIES: u32 = 600;

// === impl Directory ===

impl Directory {
    /// Opens a folder, or makes it, for this user only: it holds copies of the photos. Looks at no entry and waits for nobody. Where the
    /// ledger is lost, nothing is put until somebody has counted the folder: see [`Self::is_counted`].
    ///
    /// # Errors
    /// A folder that holds other files or is of another version; what the system refuses.
    pub fn open(path: &Path, limit: ByteCount) -> Result<Self, DirectoryError> {
        let (root, path) = Root::open(path)?;
        let (usage, is_counted, counters, blocked) = Default::default();
        let root = RwLock::new(Arc::new(root));
        let directory = Self { path, root, limit: limit.get(), usage, is_counted, counters, blocked };
        match directory.account(&directory.root()) {
            Ok(_) | Err(DirectoryError::Busy { .. }) => Ok(directory),
            Err(error) => Err(error),
        }
    }

    /// What is kept under this key, if anything: one open, one read, one close, one pass for the checksum, no copy.
    ///
    /// # Errors
    /// What the system refuses. A frame that is not what was put is counted, removed and no error.
    pub fn get(&self, key: &EntryKey) -> Result<Option<Entry>, DirectoryError> {
        let root = self.root();
        let frame = match root.file(key.name()) {
            Ok(file) => read(&file, key).map_err(DirectoryError::io("read", &self.path_of(key)))?,
            Err(Errno::NOENT) => {
                self.counters.misses.add();
                return Ok(None);
            }
            // A symbolic link, a socket, a device without a driver: nothing that was put here.
            Err(Errno::LOOP | Errno::NXIO | Errno::NODEV) => Bytes::new(),
            Err(error) => return Err(DirectoryError::io("open", &self.path_of(key))(error.into())),
        };
        match Frame::open(frame, key) {
            Ok(entry) => {
                self.counters.hits.add();
                Ok(Some(entry))
            }
            Err(error) => {
                self.counters.misses.add();
                self.discard(&root, key, error)?;
                Ok(None)
            }
        }
    }

    /// The same for an entry that is wanted in part and now: what was made, and lies in memory. `None` says nothing: ask
    /// [`Self::get`].
    pub fn glimpse<'a>(&self, key: &EntryKey, buffer: &'a mut GlimpseBuffer) -> Option<Glimpse<'a>> {
        let glimpse = Glimpse::of(self.root().file(key.name()).ok()?, key, buffer)?;
        self.counters.hits.add();
        Some(glimpse)
    }

    /// Keeps an entry; replaces what is there under its key. What is not kept is counted by its reason, and the first of each told.
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

    /// Bytes that the entries take on disk, in whole blocks: of those that are counted.
    pub fn usage(&self) -> ByteCount {
        if let Some(taken) = self.root().ledger.peek() {
            self.took(taken);
        }
        ByteCount::new(self.usage.load(Ordering::Relaxed))
    }

    /// Whether it is known what all entries take. Where it is not, nothing is put: somebody has to [`sweep`](Self::sweep), here or in
    /// another process.
    pub fn is_counted(&self) -> bool {
        self.usage();
        self.is_counted.load(Ordering::Relaxed)
    }

    /// Whether there are no entries. Once there are, this is a look at memory.
    pub fn is_empty(&self) -> bool {
        self.usage.load(Ordering::Relaxed) == 0 && self.usage().get() == 0 && self.is_counted.load(Ordering::Relaxed)
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
        let why = self.why_no_room(frame);
        why.map_or(Ok(()), |why| {
            self.not_kept(why, None);
            Err(why)
        })
    }

    /// Bytes that this user can still write to the folder's file system, quotas aside; `None` where it does not say. None at all where
    /// it has no room for further files.
    pub fn free(&self) -> Option<ByteCount> {
        let disk = rustix::fs::fstatvfs(self.root().folder()).ok()?;
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

    /// Removes files that were abandoned while they were written, and the entries that are dead by what somebody knows to be alive; and
    /// counts the rest, so that the usage is exact whatever has happened to the folder. Takes a few microseconds for each entry; others can
    /// get and put meanwhile. `go_on` is asked between shards, with how many of the 256 are done.
    ///
    /// # Errors
    /// What the system refuses; a lock that another process does not give back.
    pub fn sweep(&self, living: Option<&Living>, go_on: impl Fn(usize) -> bool) -> Result<Swept, DirectoryError> {
        let (root, mut swept) = (self.root(), Swept::default());
        for shard in (0..=u8::MAX).take_while(|shard| go_on(usize::from(*shard))) {
            let mut account = self.account_patiently(&root, || go_on(usize::from(shard)))?;
            let of_shard = match root.shard(shard) {
                Ok(folder) => shard::sweep(&folder, shard, living),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Swept::default()),
                Err(error) => Err(error),
            };
            let of_shard = of_shard.map_err(DirectoryError::io("read", &self.path.join(shard_name(shard))))?;
            account.set(shard, of_shard.bytes)?;
            self.counters.dropped.add_all(of_shard.dropped);
            swept.absorb(of_shard);
        }
        self.usage();
        Ok(swept)
    }

    fn root(&self) -> Arc<Root> {
        Arc::clone(&self.root.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Opens or makes what is at the path now, if that is another folder than before.
    fn renew(&self) -> Result<(), DirectoryError> {
        let mut root = self.root.write().unwrap_or_else(PoisonError::into_inner);
        if root.is_at(&self.path) {
            return Ok(());
        }
        *root = Arc::new(Root::open(&self.path)?.0);
        drop(root);
        if self.counters.renewed.add() == 0 {
            tracing::warn!(path = %self.path.display(), "the index was deleted or exchanged while it was in use: it is begun anew; more of this is only counted");
        }
        Ok(())
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

    /// Whether somebody who has the lock does not give it back.
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
        let file_length = Frame::file_length(length.get());
        let size = shard::on_disk(file_length);
        self.finish(&root, self.begin(&root, key, file_length, size)?, key, entry, size)
    }

    /// A file of this length to be written to, counted already.
    fn begin(&self, root: &Root, key: &EntryKey, length: u64, size: u64) -> Result<Unfinished, DirectoryError> {
        let shard = key.name().shard();
        let mut account = self.account(root)?;
        let taken = account.taken();
        if taken.bytes.saturating_add(size) > self.limit {
            let (path, usage) = (self.path.clone(), ByteCount::new(taken.bytes));
            return Err(DirectoryError::Full { path, usage, limit: self.limit() });
        }
        if !taken.is_all {
            return Err(DirectoryError::Uncounted { path: self.path.clone() });
        }
        account.add(shard, size)?;
        root.shard_to_write(shard).and_then(|folder| Unfinished::create(folder, length)).or_else(|error| {
            account.subtract(shard, size)?;
            Err(DirectoryError::io("write to", &self.path.join(shard_name(shard)))(error))
        })
    }

    /// Writes, and gives the file its name.
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
        let mut account = self.account(root)?;
        let replaced = unfinished.replaces(&name).map_or(0, shard::on_disk);
        let gone = written.and_then(|()| unfinished.name(&name)).map(|()| replaced);
        account.subtract(key.name().shard(), *gone.as_ref().unwrap_or(&size))?;
        gone.map(|_| ()).map_err(DirectoryError::io("write", &self.path_of(key)))
    }

    /// Removes what is in an entry's place.
    fn discard(&self, root: &Root, key: &EntryKey, why: FrameError) -> Result<(), DirectoryError> {
        let path = self.path_of(key);
        if self.counters.corrupt.add() == 0 {
            tracing::warn!(path = %path.display(), %why, "a broken entry is removed, to be made again; more are only counted");
        }
        let (mut account, name) = (self.account(root)?, key.name());
        let stat = rustix::fs::statat(root.folder(), &name.path()[..], AtFlags::SYMLINK_NOFOLLOW);
        let size = stat.map_or(0, |data| shard::on_disk(u64::try_from(data.st_size).unwrap_or_default()));
        let remove = |flags| rustix::fs::unlinkat(root.folder(), &name.path()[..], flags);
        let removed = match remove(AtFlags::empty()) {
            // Only an empty folder: one with something in it is somebody's.
            Err(Errno::ISDIR | Errno::PERM) => remove(AtFlags::REMOVEDIR),
            other => other,
        };
        match removed {
            Ok(()) => account.subtract(name.shard(), size),
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

    /// The ledger, locked.
    fn account<'a>(&self, root: &'a Root) -> Result<Account<'a>, DirectoryError> {
        let account = root.ledger.lock()?;
        self.took(account.taken());
        Ok(account)
    }

    /// The same, by who has time, for as long as it is to go on.
    fn account_patiently<'a>(&self, root: &'a Root, go_on: impl Fn() -> bool) -> Result<Account<'a>, DirectoryError> {
        for _ in 1..SWEEP_TRIES {
            match self.account(root) {
                Err(DirectoryError::Busy { .. }) if go_on() => std::thread::park_timeout(SWEEP_PAUSE),
                other => return other,
            }
        }
        self.account(root)
    }

    fn took(&self, Taken { bytes, is_all }: Taken) {
        self.usage.store(bytes, Ordering::Relaxed);
        self.is_counted.store(is_all, Ordering::Relaxed);
    }

    fn path_of(&self, key: &EntryKey) -> PathBuf {
        self.path.join(key.name().to_string())
    }
}

/// Most bytes that are read before the frame has said its length.
const AT_FIRST: usize = 1 << 20;

/// The frame: for nearly every entry in one read. What is no file has none.
fn read(file: &File, key: &EntryKey) -> io::Result<Bytes> {
    if !file.metadata()?.is_file() {
        return Ok(Bytes::new());
    }
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
