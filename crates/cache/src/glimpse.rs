//! An entry of which a part is wanted, looked at without waiting for the disk.
//!
//! Whoever computes on a thread that must not wait asks here first: what the system has in its page cache is copied
//! from there, only as much as is wanted, and verified. For whatever is not as simple (not there, not in memory,
//! refused, broken) there is [`Directory::get`](crate::Directory::get), which may wait, and says what it is.

use std::fs::{File, Metadata};
use std::ops::Range;

use bytes::Bytes;
use headwater_types::ByteCount;

use crate::disk::Disk;
use crate::frame::{FrameHead, file_length};
use crate::key::EntryKey;

/// Memory that a thread's glimpses share, one after the other: it grows to the largest entry, and is not cleared in
/// between.
#[derive(Debug, Default)]
pub struct GlimpseBuffer(Vec<u8>);

/// An entry that is there, its first bytes read.
#[derive(Debug)]
pub struct Glimpse<'a>(Source<'a>);

#[derive(Debug)]
enum Source<'a> {
    /// All of it lies in this process's memory.
    Memory(Bytes),
    File(Opened<'a>),
}

/// An entry's file, and what was read of it.
#[derive(Debug)]
struct Opened<'a> {
    disk: Disk,
    file: File,
    head: FrameHead,
    /// The file's bytes at their places in it, where they were read.
    frame: &'a mut [u8],
    /// Where the payload begins in `frame`.
    front: usize,
    /// Bytes of the payload that were read at first.
    start: usize,
}

/// Bytes that are read first: small entries whole, of large ones enough to know what else is wanted.
const FIRST: usize = 32 << 10;

// === impl GlimpseBuffer ===

impl GlimpseBuffer {
    /// The memory that the buffer holds.
    pub fn capacity(&self) -> ByteCount {
        self.0.capacity().into()
    }
}

// === impl Glimpse ===

impl<'a> Glimpse<'a> {
    /// An entry that lies in this process's memory.
    pub(crate) fn of_memory(entry: Bytes) -> Self {
        Self(Source::Memory(entry))
    }

    /// Reads the first bytes of an entry's file; `None` where they are not in memory, or not what was put there.
    pub(crate) fn of(disk: &Disk, file: File, key: &EntryKey, buffer: &'a mut GlimpseBuffer) -> Option<Self> {
        Opened::of(disk, file, key, buffer).map(|opened| Self(Source::File(opened)))
    }

    /// Bytes of the entry.
    pub fn length(&self) -> usize {
        match &self.0 {
            Source::Memory(entry) => entry.len(),
            Source::File(opened) => opened.head.length(),
        }
    }

    /// The entry's first bytes: about 32 kB, or all.
    pub fn start(&self) -> &[u8] {
        match &self.0 {
            Source::Memory(entry) => entry,
            Source::File(opened) => &opened.frame[opened.front..opened.front + opened.start],
        }
    }

    /// The entry's first bytes, and those of a range; `None` where they are not in memory, not within the entry, or not
    /// those that were put.
    pub fn with(&mut self, range: Range<usize>) -> Option<(&[u8], &[u8])> {
        match &mut self.0 {
            Source::Memory(entry) => Some((entry, entry.get(range)?)),
            Source::File(opened) => opened.with(range),
        }
    }
}

// === impl Opened ===

impl<'a> Opened<'a> {
    fn of(disk: &Disk, file: File, key: &EntryKey, buffer: &'a mut GlimpseBuffer) -> Option<Self> {
        let there = disk.stat_file(&file).ok().filter(Metadata::is_file)?.len();
        let length = usize::try_from(there).ok()?;
        if length > file_length(key.most().get()) as usize {
            return None;
        }
        if buffer.0.len() < length {
            buffer.0.resize(length, 0);
        }
        let frame = &mut buffer.0[..length];
        let mut first = length.min(FIRST);
        read_now(disk, &file, frame, 0..first)?;
        let front =
            usize::try_from(FrameHead::claimed_front(&frame[..first])?).ok().filter(|front| *front <= length)?;
        if front > first {
            read_now(disk, &file, frame, first..front)?;
            first = front;
        }
        let head = FrameHead::read(&frame[..first], there, key).ok().filter(|head| head.made)?;
        // Whole chunks only: the rest of one cannot be verified.
        let place = head.chunks(&(0..head.length().min(first - front)))?;
        if place.end > first {
            read_now(disk, &file, frame, first..place.end)?;
        }
        let start = place.end - front;
        head.check(frame, 0..start).ok()?;
        Some(Self { disk: disk.clone(), file, head, frame, front, start })
    }

    fn with(&mut self, range: Range<usize>) -> Option<(&[u8], &[u8])> {
        if range.end > self.start {
            let unread = range.start.max(self.start)..range.end;
            let place = self.head.chunks(&unread)?;
            read_now(&self.disk, &self.file, self.frame, place)?;
            self.head.check(self.frame, unread).ok()?;
        }
        let payload = &self.frame[self.front..];
        Some((payload.get(..self.start)?, payload.get(range)?))
    }
}

/// Reads a range of the file to the same place in memory, if the system has all of it in its page cache.
fn read_now(disk: &Disk, file: &File, frame: &mut [u8], range: Range<usize>) -> Option<()> {
    let place = frame.get_mut(range.clone())?;
    if place.is_empty() {
        return Some(());
    }
    let read = disk.read_now(file, place, range.start as u64).ok()?;
    (read == range.len()).then_some(())
}
