//! Entries in a folder, each in a file of its own.
//!
//! ```text
//! DIR/usage          bytes on disk, and the lock: see the ledger
//! DIR/3f/NAME        one entry's frame: see the name
//! DIR/3f/_8c5f...    one that is being written
//! ```
//!
//! A file is written under another name and renamed, so that a killed process leaves a whole frame or none. It is not
//! synced: after a power cut a frame may be torn, which its checksum tells, and then it is made again. Two syncs would
//! cost more than making it.
//!
//! A folder that was deleted or exchanged under a running program is made anew by the first that has something to put
//! there.

mod put;
mod read;
mod sweep;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use headwater_types::ByteCount;
use rustix::fs::AtFlags;
use rustix::io::Errno;

use self::read::read;
use crate::counters::{CacheCounts, Counters};
use crate::entry::Entry;
use crate::error::DirectoryError;
use crate::frame::{Frame, FrameError};
use crate::glimpse::{Glimpse, GlimpseBuffer};
use crate::key::EntryKey;
use crate::ledger::LockedLedger;
use crate::not_kept::Blocked;
use crate::root::Root;
use crate::shard;
use crate::slots::Taken;

/// A folder of entries, within a limit of bytes. Every call blocks on the disk. Several processes may have the same
/// folder open.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    /// The folder itself. It is exchanged where the folder was.
    root: RwLock<Arc<Root>>,
    limit: u64,
    /// The bytes that the ledger said when it was last read, for the moments in which it is being written.
    usage: AtomicU64,
    is_counted: AtomicBool,
    counters: Counters,
    blocked: Blocked,
}

// === impl Directory ===

impl Directory {
    /// Opens a folder, or makes it, for this user only: it holds copies of the photos. Looks at no entry and waits for
    /// nobody. Where the ledger is lost, nothing is put until somebody has counted the folder: see
    /// [`Self::is_counted`].
    ///
    /// # Errors
    /// A folder that holds other files or is of another version; what the system refuses.
    pub fn open(path: &Path, limit: ByteCount) -> Result<Self, DirectoryError> {
        let (root, path) = Root::open(path)?;
        let (usage, is_counted, counters, blocked) = Default::default();
        let root = RwLock::new(Arc::new(root));
        let directory = Self { path, root, limit: limit.get(), usage, is_counted, counters, blocked };
        match directory.lock(&directory.root()) {
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

    /// A part of an entry that was made and lies in memory, without waiting for the disk. `None` says nothing:
    /// [`Self::get`] knows.
    pub fn glimpse<'a>(&self, key: &EntryKey, buffer: &'a mut GlimpseBuffer) -> Option<Glimpse<'a>> {
        let glimpse = Glimpse::of(self.root().file(key.name()).ok()?, key, buffer)?;
        self.counters.hits.add();
        Some(glimpse)
    }

    /// The bytes that the counted entries take on disk, in whole blocks.
    pub fn usage(&self) -> ByteCount {
        if let Some(taken) = self.root().ledger.peek() {
            self.note(taken);
        }
        ByteCount::new(self.usage.load(Ordering::Relaxed))
    }

    /// Whether the bytes of all entries are counted. Where they are not, nothing is put: somebody has to
    /// [`sweep`](Self::sweep), here or in another process.
    pub fn is_counted(&self) -> bool {
        self.usage();
        self.is_counted.load(Ordering::Relaxed)
    }

    /// Whether there are no entries. Once there are some, the answer is a look at memory.
    pub fn is_empty(&self) -> bool {
        self.usage.load(Ordering::Relaxed) == 0 && self.usage().get() == 0 && self.is_counted.load(Ordering::Relaxed)
    }

    /// The most bytes that the entries may take on disk.
    pub fn limit(&self) -> ByteCount {
        ByteCount::new(self.limit)
    }

    /// The bytes that this user can still write to the folder's file system, quotas aside; `None` where it does not
    /// say, and 0 where it has no room for further files.
    pub fn free(&self) -> Option<ByteCount> {
        let disk = rustix::fs::fstatvfs(self.root().folder()).ok()?;
        let takes_files = disk.f_files == 0 || disk.f_favail > 0;
        Some(ByteCount::new(if takes_files { disk.f_bavail.saturating_mul(disk.f_frsize) } else { 0 }))
    }

    /// What was done with the folder here since it was opened.
    pub fn counts(&self) -> CacheCounts {
        self.counters.read()
    }

    /// The folder's path.
    pub fn path(&self) -> &Path {
        &self.path
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
            tracing::warn!(
                path = %self.path.display(),
                "the index was deleted or exchanged while it was in use: it is begun anew; more of this is only counted"
            );
        }
        Ok(())
    }

    /// Removes what is in an entry's place.
    fn discard(&self, root: &Root, key: &EntryKey, why: FrameError) -> Result<(), DirectoryError> {
        let path = self.path_of(key);
        if self.counters.corrupt.add() == 0 {
            tracing::warn!(
                path = %path.display(),
                %why,
                "a broken entry is removed, to be made again; more are only counted"
            );
        }
        let (mut ledger, name) = (self.lock(root)?, key.name());
        let stat = rustix::fs::statat(root.folder(), &name.path()[..], AtFlags::SYMLINK_NOFOLLOW);
        let size = stat.map_or(0, |data| shard::on_disk(u64::try_from(data.st_size).unwrap_or_default()));
        let remove = |flags| rustix::fs::unlinkat(root.folder(), &name.path()[..], flags);
        let removed = match remove(AtFlags::empty()) {
            // Only an empty folder: one with something in it is somebody's.
            Err(Errno::ISDIR | Errno::PERM) => remove(AtFlags::REMOVEDIR),
            other => other,
        };
        match removed {
            Ok(()) => ledger.subtract(name.shard(), size),
            // Another process was faster.
            Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(DirectoryError::io("remove", &path)(error.into())),
        }
    }

    /// The ledger, locked.
    fn lock<'a>(&self, root: &'a Root) -> Result<LockedLedger<'a>, DirectoryError> {
        let ledger = root.ledger.lock()?;
        self.note(ledger.taken());
        Ok(ledger)
    }

    fn note(&self, Taken { bytes, is_all }: Taken) {
        self.usage.store(bytes, Ordering::Relaxed);
        self.is_counted.store(is_all, Ordering::Relaxed);
    }

    fn path_of(&self, key: &EntryKey) -> PathBuf {
        self.path.join(key.name().to_string())
    }
}
