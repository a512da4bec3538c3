//! One of the folder's folders: entries, and files that are being written.
//!
//! Invariant: a file has its full length from the moment that it is made, and whoever writes it holds its lock. So a
//! shard can be counted at any time, and a file that nobody holds was abandoned.

use std::fs::File;
use std::io;
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::disk::Disk;
use crate::living::{Fate, Living};
use crate::name::EntryName;
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

/// One of the folder's folders, opened.
#[derive(Debug)]
pub(crate) struct Shard<'a> {
    pub(crate) disk: &'a Disk,
    pub(crate) folder: File,
    pub(crate) number: u8,
}

/// An entry's file, as a listing finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) name: EntryName,
    /// Bytes of the file.
    pub(crate) length: u64,
    /// When it was written.
    pub(crate) written: SystemTime,
}

// === impl Shard ===

impl Shard<'_> {
    /// The entries that lie in the folder, and whether anything else does. Takes no lock: what comes or goes meanwhile
    /// is listed or not.
    pub(crate) fn list(&self, found: &mut Vec<Found>) -> io::Result<bool> {
        let mut has_others = false;
        for name in self.disk.list(&self.folder)? {
            let name = name?;
            let Some(entry) = EntryName::parse(self.number, name.to_bytes()) else {
                has_others = true;
                continue;
            };
            match self.disk.stat_at(&self.folder, name.to_bytes()) {
                Err(Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
                Ok(data) => {
                    found.push(Found { name: entry, length: length(&data), written: written(&data) });
                }
            }
        }
        Ok(has_others)
    }

    /// Counts everything in the folder, once what was abandoned is removed, and what is dead.
    pub(crate) fn sweep(&self, living: Option<&Living>) -> io::Result<Swept> {
        let mut swept = Swept::default();
        for name in self.disk.list(&self.folder)? {
            let name = name?;
            match self.disk.stat_at(&self.folder, name.to_bytes()) {
                Err(Errno::NOENT) => {}
                data => self.sweep_file(name.to_bytes(), &data?, living, &mut swept)?,
            }
        }
        Ok(swept)
    }

    fn sweep_file(&self, name: &[u8], data: &Stat, living: Option<&Living>, swept: &mut Swept) -> io::Result<()> {
        let bytes = on_disk(length(data));
        if name.starts_with(PREFIX.as_bytes()) {
            match self.is_abandoned(name, data) && self.remove(name)? {
                true => swept.abandoned += 1,
                false => swept.bytes += bytes,
            }
            return Ok(());
        }
        let fate = match living {
            Some(living) => living.fate(self.number, name, written(data)),
            None => EntryName::is_outdated(name).then_some(Fate::Dead),
        };
        if fate == Some(Fate::Dead) && self.remove(name)? {
            swept.dropped += 1;
            swept.bytes_dropped += bytes;
            return Ok(());
        }
        swept.entries += 1;
        swept.bytes += bytes;
        if fate.is_some_and(|fate| fate != Fate::Alive) {
            swept.of_others += 1;
            swept.bytes_of_others += bytes;
        }
        Ok(())
    }

    /// Removes a file; `false` for a folder, which this crate has not made, and for a file that this user may not
    /// remove, both of which stay.
    fn remove(&self, name: &[u8]) -> io::Result<bool> {
        match self.disk.remove_at(&self.folder, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(true),
            Err(Errno::ISDIR | Errno::PERM | Errno::ACCESS) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether nobody holds the file's lock. A pipe or a link in its place, which this crate has not made, counts as
    /// abandoned and is not opened.
    fn is_abandoned(&self, name: &[u8], data: &Stat) -> bool {
        if FileType::from_raw_mode(data.st_mode) != FileType::RegularFile {
            return true;
        }
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let opened = self.disk.open_at(&self.folder, name, flags, Mode::empty());
        opened.is_ok_and(|file| self.disk.try_lock(&file).is_ok())
    }
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
