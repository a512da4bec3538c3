//! How many bytes lie in the folder: one small file that all processes keep together.
//!
//! Invariant: a file appears in a shard, or goes, only while its process holds this file's lock, with the number
//! written before it appears and after it went. So the sum is exact, and after a crash too large by a frame at most,
//! until the shard is counted again. Whoever dies gives the lock back; whoever is stopped while holding it holds nobody
//! else up for long. A ledger that was lost is counted shard by shard, each under the lock, and nothing is put until
//! all are: nobody waits for another's count to start.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::disk::Disk;
use crate::error::DirectoryError;
use crate::modes::Modes;
use crate::slots::{LENGTH, OtherVersion, Slots, Taken};

/// The ledger's name in the folder.
pub(crate) const NAME: &str = "usage";

/// Times that the lock is asked for, and the time between: another process has it for microseconds, or milliseconds
/// while it counts a shard. One that was stopped in between has it for as long as it likes.
const TRIES: u32 = 2_000;
const PAUSE: Duration = Duration::from_micros(500);

/// The ledger's file, which is also the folder's lock.
#[derive(Debug)]
pub(crate) struct Ledger {
    disk: Disk,
    path: PathBuf,
    file: Mutex<File>,
    /// The same file, for looks without the lock.
    reader: File,
    /// Whether the last try for the lock was in vain. Until a try is not, the lock is asked for once.
    held_up: AtomicBool,
}

/// The ledger, locked.
#[derive(Debug)]
pub(crate) struct LockedLedger<'a> {
    ledger: &'a Ledger,
    file: MutexGuard<'a, File>,
    slots: Slots,
}

// === impl Ledger ===

impl Ledger {
    /// Opens the ledger in this folder, or begins one that whoever may write to the folder may write. `path` is for
    /// messages.
    pub(crate) fn open(disk: &Disk, folder: &File, modes: Modes, path: PathBuf) -> Result<Self, DirectoryError> {
        let file = open(disk, folder, modes).map_err(DirectoryError::io("open", &path))?;
        let reader = file.try_clone().map_err(DirectoryError::io("open", &path))?;
        Ok(Self { disk: disk.clone(), path, file: Mutex::new(file), reader, held_up: AtomicBool::new(false) })
    }

    /// Waits for the lock and reads what is written.
    ///
    /// # Errors
    /// `Busy` where another has the lock for longer than anybody should.
    pub(crate) fn lock(&self) -> Result<LockedLedger<'_>, DirectoryError> {
        // A thread that panicked has left no half of anything: what counts is in the file.
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        self.wait_for(&file)?;
        let mut locked = LockedLedger { ledger: self, file, slots: Slots::uncounted() };
        let bytes = locked.read().map_err(DirectoryError::io("read", &self.path))?;
        locked.slots = self.slots(&bytes)?.unwrap_or_else(Slots::uncounted);
        Ok(locked)
    }

    /// What the folder takes, read without the lock; `None` where it cannot be said just now.
    pub(crate) fn peek(&self) -> Option<Taken> {
        let mut bytes = [0; LENGTH];
        self.disk.read_exact_at(&self.reader, &mut bytes, 0).ok()?;
        Some(self.slots(&bytes).ok()??.taken())
    }

    /// Whether the last try for the lock was in vain.
    pub(crate) fn is_held_up(&self) -> bool {
        self.held_up.load(Ordering::Relaxed)
    }

    /// Whether the file was removed, or another put in its place.
    pub(crate) fn is_gone(&self) -> bool {
        self.disk.stat_file(&self.reader).is_ok_and(|data| data.nlink() == 0)
    }

    /// What the file's bytes say; `None` where they say nothing.
    fn slots(&self, bytes: &[u8]) -> Result<Option<Slots>, DirectoryError> {
        Slots::parse(bytes).map_err(|OtherVersion| {
            let path = self.path.parent().unwrap_or(&self.path).to_owned();
            DirectoryError::OtherVersion { path }
        })
    }

    fn wait_for(&self, file: &File) -> Result<(), DirectoryError> {
        let tries = if self.is_held_up() { 1 } else { TRIES };
        for _ in 0..tries {
            match self.disk.try_lock(file) {
                Ok(()) => {
                    self.held_up.store(false, Ordering::Relaxed);
                    return Ok(());
                }
                Err(std::fs::TryLockError::WouldBlock) => std::thread::park_timeout(PAUSE),
                Err(std::fs::TryLockError::Error(error)) => return Err(DirectoryError::io("lock", &self.path)(error)),
            }
        }
        self.held_up.store(true, Ordering::Relaxed);
        Err(DirectoryError::Busy { path: self.path.clone() })
    }
}

// === impl LockedLedger ===

impl LockedLedger<'_> {
    /// What the folder takes.
    pub(crate) fn taken(&self) -> Taken {
        self.slots.taken()
    }

    /// Adds bytes to a shard, before they are there.
    pub(crate) fn add(&mut self, shard: u8, bytes: u64) -> Result<(), DirectoryError> {
        self.change(shard, |slot| slot.saturating_add(bytes))
    }

    /// Takes bytes from a shard, once they are gone.
    pub(crate) fn subtract(&mut self, shard: u8, bytes: u64) -> Result<(), DirectoryError> {
        self.change(shard, |slot| slot.saturating_sub(bytes))
    }

    /// Writes what was counted in a shard.
    pub(crate) fn set(&mut self, shard: u8, bytes: u64) -> Result<(), DirectoryError> {
        self.slots.set(shard, bytes);
        self.write()
    }

    /// Writes that no shard has anything in it.
    pub(crate) fn set_empty(&mut self) -> Result<(), DirectoryError> {
        self.slots = Slots::empty();
        self.write()
    }

    fn change(&mut self, shard: u8, change: impl FnOnce(u64) -> u64) -> Result<(), DirectoryError> {
        self.slots.change(shard, change);
        self.write()
    }

    fn write(&self) -> Result<(), DirectoryError> {
        let written = self.ledger.disk.write_all_at(&self.file, &self.slots.to_bytes(), 0);
        written.map_err(DirectoryError::io("write", &self.ledger.path))
    }

    /// The file's bytes; none where it is shorter than a ledger.
    fn read(&self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; LENGTH];
        match self.ledger.disk.read_exact_at(&self.file, &mut bytes, 0) {
            Ok(()) => Ok(bytes),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

impl Drop for LockedLedger<'_> {
    fn drop(&mut self) {
        // Closing the file would give it back too, so that there is nothing to do about an error.
        let _ = self.ledger.disk.unlock(&self.file);
    }
}

/// Opens the ledger's file, or makes it.
fn open(disk: &Disk, folder: &File, modes: Modes) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let there = || disk.open_at(folder, NAME.as_bytes(), flags, Mode::empty());
    let file = modes.open(|| match there() {
        Err(Errno::NOENT) => {
            match disk.open_at(folder, NAME.as_bytes(), flags | OFlags::CREATE | OFlags::EXCL, modes.file()) {
                Ok(made) => modes.share_file(disk, &made).map(|()| made),
                Err(Errno::EXIST) => there(),
                other => other,
            }
        }
        other => other,
    })?;
    match disk.stat_file(&file)?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("it is no file")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(folder: &tempfile::TempDir) -> Ledger {
        try_open(folder).unwrap()
    }

    fn try_open(folder: &tempfile::TempDir) -> Result<Ledger, DirectoryError> {
        let (root, path) = (File::open(folder.path()).unwrap(), folder.path().join(NAME));
        Ledger::open(&Disk::default(), &root, Modes::default(), path)
    }

    fn ledger() -> (tempfile::TempDir, Ledger) {
        let folder = tempfile::TempDir::new().unwrap();
        let ledger = open(&folder);
        (folder, ledger)
    }

    fn is_unknown(ledger: &Ledger) -> bool {
        ledger.lock().unwrap().taken() == Taken { bytes: 0, is_all: false }
    }

    #[test]
    fn numbers_are_there_for_the_next_process() {
        let (folder, ledger) = ledger();
        assert!(is_unknown(&ledger));
        let mut locked = ledger.lock().unwrap();
        locked.set_empty().unwrap();
        locked.add(3, 4096).unwrap();
        locked.add(255, 8192).unwrap();
        locked.subtract(3, 4095).unwrap();
        drop(locked);
        let (other, taken) = (open(&folder), Taken { bytes: 8193, is_all: true });
        assert_eq!((other.lock().unwrap().taken(), other.peek()), (taken, Some(taken)));
    }

    #[test]
    fn a_lost_ledger_is_known_once_every_shard_is_counted() {
        let (_folder, ledger) = ledger();
        for shard in 0..=u8::MAX {
            let mut locked = ledger.lock().unwrap();
            // Who writes there meanwhile changes nothing of what is not known.
            locked.add(shard, 1 << 40).unwrap();
            assert_eq!(locked.taken(), Taken { bytes: 10 * u64::from(shard), is_all: false });
            locked.set(shard, 10).unwrap();
        }
        assert_eq!(ledger.peek(), Some(Taken { bytes: 2560, is_all: true }));
    }

    #[test]
    fn a_torn_ledger_says_nothing_and_another_version_is_left_alone() {
        let (folder, ledger) = ledger();
        ledger.lock().unwrap().set_empty().unwrap();
        let path = folder.path().join(NAME);
        let good = std::fs::read(&path).unwrap();
        for at in 0..crate::slots::FAMILY {
            let mut torn = good.clone();
            torn[at] ^= 1;
            std::fs::write(&path, &torn).unwrap();
            assert!(is_unknown(&ledger));
        }
        for torn in [&good[..0], &good[..100], &[&good[..1000], &vec![0xfe; LENGTH - 1000][..]].concat()] {
            std::fs::write(&path, torn).unwrap();
            assert!(is_unknown(&ledger));
            assert_eq!(ledger.peek(), None);
        }
        let mut newer = good;
        newer[crate::slots::FAMILY] = 2;
        std::fs::write(&path, &newer).unwrap();
        assert!(matches!(ledger.lock().unwrap_err(), DirectoryError::OtherVersion { path } if path == folder.path()));
        assert_eq!(std::fs::read(&path).unwrap(), newer);
    }

    #[test]
    fn one_who_is_stopped_with_the_lock_holds_others_up_once() {
        let (folder, ledger) = ledger();
        let stopped = File::open(folder.path().join(NAME)).unwrap();
        stopped.lock().unwrap();
        assert!(matches!(ledger.lock().unwrap_err(), DirectoryError::Busy { .. }));
        assert!(ledger.is_held_up());
        assert!(ledger.lock().is_err());
        stopped.unlock().unwrap();
        assert!(ledger.lock().is_ok());
        assert!(!ledger.is_held_up());
    }

    #[test]
    fn what_is_no_file_is_no_ledger() {
        let folder = tempfile::TempDir::new().unwrap();
        std::fs::create_dir(folder.path().join(NAME)).unwrap();
        assert!(try_open(&folder).is_err());
        std::fs::remove_dir(folder.path().join(NAME)).unwrap();
        std::os::unix::fs::symlink("elsewhere", folder.path().join(NAME)).unwrap();
        assert!(try_open(&folder).is_err());
        assert!(!folder.path().join("elsewhere").exists());
    }
}
