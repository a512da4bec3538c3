//! How many bytes lie in the folder: one small file that all processes keep together.
//!
//! ```text
//!  0        8          16                              2064
//! ┌────────┬──────────┬───────────────────────────────┐
//! │ magic  │ checksum │ bytes in shard 00, 01, ... ff │
//! │ 8      │ u64      │ 256 x u64                     │
//! └────────┴──────────┴───────────────────────────────┘
//!
//! magic     "HWUSAGE" and the format's version, 1
//! checksum  XXH3-64 of the 256 numbers; all numbers little endian
//! ```
//!
//! Invariant: a file appears in a shard, or goes, only while its process holds this file's lock, with the number written before it
//! appears and after it went. So the sum is exact, and after a crash too large by a frame at most, until the shard is
//! counted again. Whoever dies gives the lock back; whoever is stopped while holding it holds nobody else up for long.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use twox_hash::XxHash3_64;

use crate::error::DirectoryError;

/// The ledger's name in the folder.
pub(crate) const NAME: &str = "usage";
/// Shards of a folder: a million entries are 4,000 in each.
pub(crate) const SHARDS: usize = 256;

const MAGIC: &[u8; 8] = b"HWUSAGE\x01";
/// Bytes of the magic without the version.
const FAMILY: usize = 7;
const SLOTS: usize = 16;
const LENGTH: usize = SLOTS + 8 * SHARDS;

/// Times that the lock is asked for, and the time between: another process has it for microseconds, or milliseconds
/// while it counts a shard. One that was stopped in between has it for as long as it likes.
const TRIES: u32 = 2_000;
const PAUSE: Duration = Duration::from_micros(500);

/// The file, and the lock that it is for.
#[derive(Debug)]
pub(crate) struct Ledger {
    path: PathBuf,
    file: Mutex<File>,
    /// The same file, for those who only look.
    reader: File,
    /// The last try for the lock was in vain: until one is not, it is asked for once.
    held_up: AtomicBool,
}

/// The ledger, locked.
#[derive(Debug)]
pub(crate) struct Account<'a> {
    ledger: &'a Ledger,
    file: MutexGuard<'a, File>,
    /// `None` where the file does not say: it is new, or was torn.
    slots: Option<Box<[u64; SHARDS]>>,
}

// === impl Ledger ===

impl Ledger {
    /// Opens the ledger at this path, or begins one.
    pub(crate) fn open(path: PathBuf) -> Result<Self, DirectoryError> {
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(&path).map_err(DirectoryError::io("open", &path))?;
        let reader = file.try_clone().map_err(DirectoryError::io("open", &path))?;
        Ok(Self { path, file: Mutex::new(file), reader, held_up: AtomicBool::new(false) })
    }

    /// Waits for the lock and reads what is written.
    pub(crate) fn lock(&self) -> Result<Account<'_>, DirectoryError> {
        // A thread that panicked has left no half of anything: what counts is in the file.
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        self.wait_for(&file).map_err(DirectoryError::io("lock", &self.path))?;
        let mut account = Account { ledger: self, file, slots: None };
        let bytes = account.read().map_err(DirectoryError::io("read", &self.path))?;
        account.slots = self.parse(&bytes)?;
        Ok(account)
    }

    /// Bytes in all shards, read without the lock; `None` where it cannot be said just now.
    pub(crate) fn peek(&self) -> Option<u64> {
        let mut bytes = [0; LENGTH];
        self.reader.read_exact_at(&mut bytes, 0).ok()?;
        Some(self.parse(&bytes).ok()??.iter().sum())
    }

    fn wait_for(&self, file: &File) -> io::Result<()> {
        let tries = if self.held_up.load(Ordering::Relaxed) { 1 } else { TRIES };
        for _ in 0..tries {
            match file.try_lock() {
                Ok(()) => {
                    self.held_up.store(false, Ordering::Relaxed);
                    return Ok(());
                }
                Err(std::fs::TryLockError::WouldBlock) => std::thread::park_timeout(PAUSE),
                Err(std::fs::TryLockError::Error(error)) => return Err(error),
            }
        }
        self.held_up.store(true, Ordering::Relaxed);
        Err(io::Error::new(io::ErrorKind::WouldBlock, "another process holds it: is one stopped?"))
    }

    fn parse(&self, bytes: &[u8]) -> Result<Option<Box<[u64; SHARDS]>>, DirectoryError> {
        let Some((head, numbers)) = bytes.split_at_checked(SLOTS).filter(|(_, rest)| rest.len() == 8 * SHARDS) else {
            return Ok(None);
        };
        if head.starts_with(&MAGIC[..FAMILY]) && !head.starts_with(MAGIC) {
            let path = self.path.parent().unwrap_or(&self.path).to_owned();
            return Err(DirectoryError::OtherVersion { path });
        }
        if !head.starts_with(MAGIC) || head[8..] != XxHash3_64::oneshot(numbers).to_le_bytes() {
            return Ok(None);
        }
        let mut slots = Box::new([0; SHARDS]);
        for (slot, number) in slots.iter_mut().zip(numbers.as_chunks::<8>().0) {
            *slot = u64::from_le_bytes(*number);
        }
        Ok(Some(slots))
    }
}

// === impl Account ===

impl Account<'_> {
    /// Whether the shards must be counted before anything else.
    pub(crate) fn is_unknown(&self) -> bool {
        self.slots.is_none()
    }

    /// Bytes in all shards.
    pub(crate) fn total(&self) -> u64 {
        self.slots.iter().flat_map(|slots| slots.iter()).fold(0, |sum: u64, slot| sum.saturating_add(*slot))
    }

    /// So many bytes more: to be called before they are there.
    pub(crate) fn add(&mut self, shard: u8, bytes: u64) -> Result<(), DirectoryError> {
        self.change(shard, |slot| slot.saturating_add(bytes))
    }

    /// So many bytes less: to be called once they are gone.
    pub(crate) fn subtract(&mut self, shard: u8, bytes: u64) -> Result<(), DirectoryError> {
        self.change(shard, |slot| slot.saturating_sub(bytes))
    }

    /// What was counted.
    pub(crate) fn set(&mut self, shard: u8, bytes: u64) -> Result<(), DirectoryError> {
        self.change(shard, |_| bytes)
    }

    /// What was counted in every shard, in their order.
    pub(crate) fn set_all(&mut self, counted: &[u64]) -> Result<(), DirectoryError> {
        let mut slots = Box::new([0; SHARDS]);
        slots.iter_mut().zip(counted).for_each(|(slot, counted)| *slot = *counted);
        self.slots = Some(slots);
        self.write()
    }

    fn change(&mut self, shard: u8, change: impl FnOnce(u64) -> u64) -> Result<(), DirectoryError> {
        let slots = self.slots.get_or_insert_with(|| Box::new([0; SHARDS]));
        let slot = &mut slots[usize::from(shard)];
        *slot = change(*slot);
        self.write()
    }

    fn write(&self) -> Result<(), DirectoryError> {
        let mut bytes = [0; LENGTH];
        bytes[..8].copy_from_slice(MAGIC);
        for (number, slot) in
            bytes[SLOTS..].as_chunks_mut::<8>().0.iter_mut().zip(self.slots.iter().flat_map(|slots| slots.iter()))
        {
            *number = slot.to_le_bytes();
        }
        let checksum = XxHash3_64::oneshot(&bytes[SLOTS..]);
        bytes[8..SLOTS].copy_from_slice(&checksum.to_le_bytes());
        self.file.write_all_at(&bytes, 0).map_err(DirectoryError::io("write", &self.ledger.path))
    }

    /// As many bytes as there are, up to what a ledger has.
    fn read(&self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; LENGTH];
        match self.file.read_exact_at(&mut bytes, 0) {
            Ok(()) => Ok(bytes),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

impl Drop for Account<'_> {
    fn drop(&mut self) {
        // Closing the file would give it back too, so that there is nothing to do about an error.
        let _ = self.file.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger() -> (tempfile::TempDir, Ledger) {
        let folder = tempfile::TempDir::new().unwrap();
        let ledger = Ledger::open(folder.path().join(NAME)).unwrap();
        (folder, ledger)
    }

    #[test]
    fn numbers_are_there_for_the_next_process() {
        let (folder, ledger) = ledger();
        let mut account = ledger.lock().unwrap();
        assert!(account.is_unknown());
        account.add(3, 4096).unwrap();
        account.add(255, 8192).unwrap();
        account.subtract(3, 4095).unwrap();
        drop(account);
        let other = Ledger::open(folder.path().join(NAME)).unwrap();
        assert_eq!((other.lock().unwrap().total(), other.peek()), (8193, Some(8193)));
    }

    #[test]
    fn a_torn_ledger_says_nothing_and_another_version_is_left_alone() {
        let (folder, ledger) = ledger();
        ledger.lock().unwrap().add(0, 1).unwrap();
        let path = folder.path().join(NAME);
        let good = std::fs::read(&path).unwrap();
        for at in 0..FAMILY {
            let mut torn = good.clone();
            torn[at] ^= 1;
            std::fs::write(&path, &torn).unwrap();
            assert!(ledger.lock().unwrap().is_unknown());
        }
        for torn in [&good[..0], &good[..100], &[&good[..1000], &vec![0xff; LENGTH - 1000][..]].concat()] {
            std::fs::write(&path, torn).unwrap();
            assert!(ledger.lock().unwrap().is_unknown());
            assert_eq!(ledger.peek(), None);
        }
        let mut newer = good;
        newer[FAMILY] = 2;
        std::fs::write(&path, &newer).unwrap();
        assert!(matches!(ledger.lock().unwrap_err(), DirectoryError::OtherVersion { path } if path == folder.path()));
        assert_eq!(std::fs::read(&path).unwrap(), newer);
    }

    #[test]
    fn one_who_is_stopped_with_the_lock_holds_others_up_once() {
        let (folder, ledger) = ledger();
        let stopped = File::open(folder.path().join(NAME)).unwrap();
        stopped.lock().unwrap();
        assert!(ledger.lock().is_err());
        assert!(ledger.held_up.load(Ordering::Relaxed));
        assert!(ledger.lock().is_err());
        stopped.unlock().unwrap();
        assert!(ledger.lock().is_ok());
        assert!(!ledger.held_up.load(Ordering::Relaxed));
    }
}
