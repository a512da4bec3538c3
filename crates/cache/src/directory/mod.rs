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

mod list;
mod put;
mod read;
mod remove;
mod sweep;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use headwater_types::ByteCount;
use rustix::io::Errno;

use self::read::read;
use crate::counters::{Counters, DirectoryCounts};
use crate::disk::Disk;
use crate::entry::Entry;
use crate::error::DirectoryError;
use crate::frame::{Frame, FrameError};
use crate::glimpse::{Glimpse, GlimpseBuffer};
use crate::key::EntryKey;
use crate::ledger::LockedLedger;
use crate::name::EntryName;
use crate::not_kept::Blocked;
use crate::root::Root;
use crate::slots::Taken;

/// How a folder is used.
#[derive(Clone, Copy, Debug)]
pub struct DirectoryLimits {
    /// The most bytes that the entries may take on disk, in whole blocks.
    pub entries: ByteCount,
    /// The bytes that the file system is to have free beside them: nothing is put that would leave less.
    pub floor: ByteCount,
}

/// A folder of entries, within a limit of bytes. Every call blocks on the disk. Several processes may have the same
/// folder open.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    /// The folder itself. It is exchanged where the folder was.
    root: RwLock<Arc<Root>>,
    limit: u64,
    floor: u64,
    /// The bytes that the ledger said when it was last read, for the moments in which it is being written.
    usage: AtomicU64,
    is_counted: AtomicBool,
    counters: Counters,
    blocked: Blocked,
}

/// What is in an entry's place.
#[derive(Debug)]
pub(crate) enum Look {
    Found(Entry),
    Absent,
    /// Something that was not put there, and is removed.
    Corrupt,
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
        Self::open_within(path, DirectoryLimits { entries: limit, floor: ByteCount::new(0) })
    }

    /// The same, with more limits.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_within(path: &Path, limits: DirectoryLimits) -> Result<Self, DirectoryError> {
        Self::open_on(&Disk::default(), path, limits)
    }

    /// Keeps so much of the file system free as is said of its size.
    pub(crate) fn with_floor(mut self, floor: impl FnOnce(ByteCount) -> ByteCount) -> Self {
        let root = self.root();
        let total = root.disk.room(root.folder()).map_or(0, |disk| disk.f_blocks.saturating_mul(disk.f_frsize));
        self.floor = floor(ByteCount::new(total)).get();
        self
    }

    pub(crate) fn open_on(disk: &Disk, path: &Path, limits: DirectoryLimits) -> Result<Self, DirectoryError> {
        let (root, path) = Root::open(disk, path)?;
        let (usage, is_counted, counters, blocked) = Default::default();
        let (limit, floor, root) = (limits.entries.get(), limits.floor.get(), RwLock::new(Arc::new(root)));
        let directory = Self { path, root, limit, floor, usage, is_counted, counters, blocked };
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
        match self.look(key)? {
            Look::Found(entry) => Ok(Some(entry)),
            Look::Absent | Look::Corrupt => Ok(None),
        }
    }

    /// As [`Self::get`], and why there is nothing.
    pub(crate) fn look(&self, key: &EntryKey) -> Result<Look, DirectoryError> {
        let root = self.root();
        let frame = match root.file(key.name()) {
            Ok(file) => read(&root.disk, &file, key).map_err(DirectoryError::io("read", &self.path_of(key.name())))?,
            Err(Errno::NOENT) => {
                self.counters.misses.add();
                return Ok(Look::Absent);
            }
            // A symbolic link, a socket, a device without a driver: nothing that was put here.
            Err(Errno::LOOP | Errno::NXIO | Errno::NODEV) => Bytes::new(),
            Err(error) => return Err(DirectoryError::io("open", &self.path_of(key.name()))(error.into())),
        };
        match Frame::open(frame, key) {
            Ok(entry) => {
                self.counters.hits.add();
                Ok(Look::Found(entry))
            }
            Err(error) => {
                self.counters.misses.add();
                self.discard(&root, key, error)?;
                Ok(Look::Corrupt)
            }
        }
    }

    /// A part of an entry that was made and lies in memory, without waiting for the disk. `None` says nothing:
    /// [`Self::get`] knows.
    pub fn glimpse<'a>(&self, key: &EntryKey, buffer: &'a mut GlimpseBuffer) -> Option<Glimpse<'a>> {
        let root = self.root();
        let glimpse = Glimpse::of(&root.disk, root.file(key.name()).ok()?, key, buffer)?;
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
        let root = self.root();
        let disk = root.disk.room(root.folder()).ok()?;
        let takes_files = disk.f_files == 0 || disk.f_favail > 0;
        Some(ByteCount::new(if takes_files { disk.f_bavail.saturating_mul(disk.f_frsize) } else { 0 }))
    }

    /// The bytes of the file system that are to stay free.
    pub fn floor(&self) -> ByteCount {
        ByteCount::new(self.floor)
    }

    /// What was done with the folder here since it was opened.
    pub fn counts(&self) -> DirectoryCounts {
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
        let disk = root.disk.clone();
        *root = Arc::new(Root::open(&disk, &self.path)?.0);
        drop(root);
        self.blocked.end();
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
        let path = self.path_of(key.name());
        if self.counters.corrupt.add() == 0 {
            tracing::warn!(
                path = %path.display(),
                %why,
                "a broken entry is removed, to be made again; more are only counted"
            );
        }
        self.remove_file(root, key.name()).map(|_| ())
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

    fn path_of(&self, name: &EntryName) -> PathBuf {
        self.path.join(name.to_string())
    }
}
