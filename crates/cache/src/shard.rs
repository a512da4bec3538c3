//! One of the folder's folders: entries, and files that are being written.
//!
//! Invariant: a file has its full length from the moment that it is made, and whoever writes it holds its lock. So a
//! shard can be counted at any time, and a file that nobody holds was abandoned.

use std::fs::File;
use std::io;
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::living::{Fate, Living};
use crate::unfinished::PREFIX;

/// What a count found, and did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Entries that stay.
    pub entries: u64,
    /// Bytes on disk of all that stays.
    pub bytes: u64,
    /// Entries that stay since others have to judge them: they are of other datasets, parts or moments.
    pub of_others: u64,
    /// Bytes on disk of the entries that others have to judge.
    pub bytes_of_others: u64,
    /// Entries that were dropped, since what they were made of is no more.
    pub dropped: u64,
    /// Bytes on disk of the entries that were dropped.
    pub bytes_dropped: u64,
    /// Files that were abandoned while they were written, and are removed.
    pub abandoned: u64,
}

/// What files of this length take on disk: ext4 and XFS give out blocks of 4 KiB unless they are made otherwise.
pub(crate) const fn on_disk(length: u64) -> u64 {
    length.next_multiple_of(4096)
}

/// Counts everything in the folder, once what was abandoned is removed, and what is dead.
pub(crate) fn sweep(folder: &File, shard: u8, living: Option<&Living>) -> io::Result<Swept> {
    let mut swept = Swept::default();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if matches!(name, b"." | b"..") {
            continue;
        }
        let data = match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => continue,
            other => other?,
        };
        if name.starts_with(PREFIX.as_bytes()) {
            match is_abandoned(folder, name, &data) && remove(folder, name)? {
                true => swept.abandoned += 1,
                false => swept.bytes += on_disk(length(&data)),
            }
            continue;
        }
        let fate = living.and_then(|living| living.fate(shard, name, written(&data)));
        let bytes = on_disk(length(&data));
        if fate == Some(Fate::Dead) && remove(folder, name)? {
            swept.dropped += 1;
            swept.bytes_dropped += bytes;
            continue;
        }
        swept.entries += 1;
        swept.bytes += bytes;
        if fate.is_some_and(|fate| fate != Fate::Alive) {
            swept.of_others += 1;
            swept.bytes_of_others += bytes;
        }
    }
    Ok(swept)
}

// === impl Swept ===

impl Swept {
    /// Adds what another shard had.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.entries += other.entries;
        self.bytes += other.bytes;
        self.of_others += other.of_others;
        self.bytes_of_others += other.bytes_of_others;
        self.dropped += other.dropped;
        self.bytes_dropped += other.bytes_dropped;
        self.abandoned += other.abandoned;
    }
}

/// Removes a file; `false` for a folder, which this crate has not made, and which stays.
fn remove(folder: &File, name: &[u8]) -> io::Result<bool> {
    match rustix::fs::unlinkat(folder, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(true),
        Err(Errno::ISDIR | Errno::PERM) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Whether nobody holds the file's lock. A pipe or a link in its place, which this crate has not made, counts as
/// abandoned and is not opened.
fn is_abandoned(folder: &File, name: &[u8], data: &Stat) -> bool {
    if FileType::from_raw_mode(data.st_mode) != FileType::RegularFile {
        return true;
    }
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let opened = rustix::fs::openat(folder, name, flags, Mode::empty()).map(File::from);
    opened.is_ok_and(|file| file.try_lock().is_ok())
}

fn length(data: &Stat) -> u64 {
    u64::try_from(data.st_size).unwrap_or_default()
}

/// When the file was last written to: an entry is not written to any more once it has its name.
fn written(data: &Stat) -> SystemTime {
    let (epoch, since) = (SystemTime::UNIX_EPOCH, Duration::from_secs(data.st_mtime.unsigned_abs()));
    let seconds = if data.st_mtime < 0 { epoch.checked_sub(since) } else { epoch.checked_add(since) };
    let nanoseconds = Duration::from_nanos(data.st_mtime_nsec);
    seconds.and_then(|seconds| seconds.checked_add(nanoseconds)).unwrap_or(epoch)
}
