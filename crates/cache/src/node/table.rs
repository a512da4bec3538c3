//! The shared table: a file in memory, read and written by its places.
//!
//! Not mapped: mapping needs `unsafe`, and a read or write of 64 bytes here costs under a microsecond, a tenth of what
//! a hit costs otherwise. A look tears nothing that matters: what is changed under the lock is believed under the lock
//! only, and what every access changes is a priority.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::fs::{FallocateFlags, Mode, OFlags};

use super::counters::NodeCounts;
use super::error::NodeError;
use super::layout::{COUNTERS, HEADER, Header, LOCKED, MEMBERS, ROW, Row, Uses, rows_at, table_bytes};

/// The table's name in the folder.
pub(super) const NAME: &str = "table";
/// Tries for the lock that are made at once, and those with a pause between: others have it for microseconds, or for
/// as long as a change of a million rows takes. One that was stopped has it for as long as it likes.
const AT_ONCE: u32 = 50;
const TRIES: u32 = 50_000;
const PAUSE: Duration = Duration::from_micros(100);
/// Rows that are read at once.
const STRIDE: u64 = 8192;

#[derive(Debug)]
pub(super) struct Table {
    file: File,
    pub(super) path: PathBuf,
    /// Whether the last try for the lock was in vain. Until a try is not, the lock is asked for once.
    held_up: AtomicBool,
}

// === impl Table ===

impl Table {
    /// Opens the table in this folder, or makes an empty file for it.
    pub(super) fn open(folder: &File, path: &Path) -> Result<Self, NodeError> {
        let path = path.join(NAME);
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let opened = rustix::fs::openat(folder, NAME, flags, Mode::from_raw_mode(0o600)).map_err(io::Error::from);
        let file = opened.map(File::from).map_err(NodeError::io("open", &path))?;
        Ok(Self { file, path, held_up: AtomicBool::new(false) })
    }

    /// Waits for the lock, which [`Self::unlock`] or the process's end gives back.
    pub(super) fn lock(&self) -> Result<(), NodeError> {
        let tries = if self.held_up.load(Ordering::Relaxed) { 1 } else { TRIES };
        for attempt in 0..tries {
            if self.try_lock()? {
                self.held_up.store(false, Ordering::Relaxed);
                return Ok(());
            }
            match attempt < AT_ONCE {
                true => std::thread::yield_now(),
                false => std::thread::park_timeout(PAUSE),
            }
        }
        self.held_up.store(true, Ordering::Relaxed);
        Err(NodeError::Busy { path: self.path.clone() })
    }

    pub(super) fn try_lock(&self) -> Result<bool, NodeError> {
        match self.file.try_lock() {
            Ok(()) => Ok(true),
            Err(std::fs::TryLockError::WouldBlock) => Ok(false),
            Err(std::fs::TryLockError::Error(error)) => Err(NodeError::io("lock", &self.path)(error)),
        }
    }

    pub(super) fn unlock(&self) {
        // Closing the file would give it back too, so that there is nothing to do about an error.
        let _ = self.file.unlock();
    }

    /// Whether the file was removed: the last of its processes has left.
    pub(super) fn is_gone(&self) -> bool {
        self.file.metadata().is_ok_and(|data| data.nlink() == 0)
    }

    /// Makes the file a table of nothing, for so many samples. Its memory is taken at once, so that no later change
    /// fails for want of it.
    pub(super) fn begin(&self, header: &Header) -> Result<(), NodeError> {
        let length = table_bytes(header.samples);
        let made = self.file.set_len(0).and_then(|()| self.file.set_len(length)).and_then(|()| {
            rustix::fs::fallocate(&self.file, FallocateFlags::empty(), 0, length).map_err(io::Error::from)
        });
        made.map_err(NodeError::io("make", &self.path))?;
        self.set_header(header)
    }

    /// What the file says; `None` where it is no table.
    pub(super) fn header(&self) -> Result<Option<Header>, NodeError> {
        let mut bytes = [0; 256];
        match self.file.read_exact_at(&mut bytes, 0) {
            Ok(()) => {
                let length = self.file.metadata().map_err(NodeError::io("read", &self.path))?.len();
                Ok(Header::parse(&bytes).filter(|header| table_bytes(header.samples) == length))
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(NodeError::io("read", &self.path)(error)),
        }
    }

    pub(super) fn set_header(&self, header: &Header) -> Result<(), NodeError> {
        self.write(&header.to_bytes(), 0)
    }

    pub(super) fn row(&self, index: u64) -> Result<(Row, Uses), NodeError> {
        let mut bytes = [0; ROW as usize];
        self.read(&mut bytes, rows_at() + index * ROW)?;
        Ok(both(&bytes))
    }

    pub(super) fn set_row(&self, index: u64, row: Row) -> Result<(), NodeError> {
        self.write(&row.to_bytes(), rows_at() + index * ROW)
    }

    pub(super) fn set_uses(&self, index: u64, uses: Uses) -> Result<(), NodeError> {
        self.write(&uses.to_bytes(), rows_at() + index * ROW + LOCKED as u64)
    }

    /// All rows, in order.
    pub(super) fn scan(
        &self,
        samples: u64,
        mut look: impl FnMut(u64, Row, Uses) -> Result<(), NodeError>,
    ) -> Result<(), NodeError> {
        let mut bytes = Vec::new();
        for first in (0..samples).step_by(STRIDE as usize) {
            let count = STRIDE.min(samples - first);
            bytes.resize((count * ROW) as usize, 0);
            self.read(&mut bytes, rows_at() + first * ROW)?;
            for (index, bytes) in (first..).zip(bytes.as_chunks::<{ ROW as usize }>().0) {
                let (row, uses) = both(bytes);
                look(index, row, uses)?;
            }
        }
        Ok(())
    }

    pub(super) fn counts_of(&self, member: u16) -> Result<NodeCounts, NodeError> {
        let mut bytes = [0; 8 * COUNTERS];
        self.read(&mut bytes, counters_at(member))?;
        Ok(NodeCounts::parse(&bytes))
    }

    pub(super) fn set_counts(&self, member: u16, counts: NodeCounts) -> Result<(), NodeError> {
        self.write(&counts.to_bytes(), counters_at(member))
    }

    /// What all processes have counted.
    pub(super) fn counts(&self) -> Result<NodeCounts, NodeError> {
        let mut bytes = vec![0; 8 * COUNTERS * usize::from(MEMBERS)];
        self.read(&mut bytes, HEADER)?;
        let mut sum = NodeCounts::default();
        bytes.as_chunks::<{ 8 * COUNTERS }>().0.iter().for_each(|one| sum.absorb(&NodeCounts::parse(one)));
        Ok(sum)
    }

    fn read(&self, bytes: &mut [u8], at: u64) -> Result<(), NodeError> {
        self.file.read_exact_at(bytes, at).map_err(NodeError::io("read", &self.path))
    }

    fn write(&self, bytes: &[u8], at: u64) -> Result<(), NodeError> {
        self.file.write_all_at(bytes, at).map_err(NodeError::io("write", &self.path))
    }
}

/// Members are numbered from 1.
fn counters_at(member: u16) -> u64 {
    HEADER + u64::from(member.saturating_sub(1)) * 8 * COUNTERS as u64
}

fn both(bytes: &[u8; ROW as usize]) -> (Row, Uses) {
    let (locked, free) = bytes.split_at(LOCKED);
    let half = |half: &[u8]| half.first_chunk().copied().unwrap_or([0; LOCKED]);
    (Row::parse(&half(locked)), Uses::parse(&half(free)))
}
