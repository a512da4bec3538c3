//! A file that is being written, under a name that no entry has, until it is given one.
//!
//! # Why not an output of the command line's?
//!
//! An output is found by its path, synced, and named after its place, so that people see what is being written. This
//! file is found below the handle of a shard, whatever happens to the shard's path, has its full length and its lock
//! from the first moment, so that it is counted before it is written, and is never synced: the checksum of a torn entry
//! does not fit.

use std::fs::File;
use std::hash::{BuildHasher as _, RandomState};
use std::io;

use rustix::fs::{AtFlags, OFlags};
use rustix::io::Errno;

use crate::disk::Disk;
use crate::modes::Modes;

/// The beginning of every unfinished file's name.
pub(crate) const PREFIX: &str = "_";

/// Removed when it is dropped, unless it was named. Locked for as long as it is open.
#[derive(Debug)]
pub(crate) struct Unfinished {
    disk: Disk,
    shard: File,
    name: Option<String>,
    file: File,
}

// === impl Unfinished ===

impl Unfinished {
    /// A new file of this length in a shard.
    pub(crate) fn create(disk: &Disk, shard: File, modes: Modes, length: u64) -> io::Result<Self> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        // Another of this name, by chance: once in 2^64.
        let name = format!("{PREFIX}{:016x}", RandomState::new().hash_one(PREFIX));
        let file = disk.open_at(&shard, name.as_bytes(), flags, modes.file())?;
        let unfinished = Self { disk: disk.clone(), shard, name: Some(name), file };
        modes.share_file(disk, &unfinished.file)?;
        disk.lock(&unfinished.file)?;
        disk.set_length(&unfinished.file, length)?;
        Ok(unfinished)
    }

    /// Writes behind what was written.
    pub(crate) fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
        self.disk.write_all(&self.file, bytes)
    }

    /// Length of what has the name now: what [`Self::name`] would replace.
    pub(crate) fn replaces(&self, name: &[u8]) -> Option<u64> {
        let data = self.disk.stat_at(&self.shard, name).ok()?;
        u64::try_from(data.st_size).ok()
    }

    /// Gives the file its name, in place of what has the name.
    pub(crate) fn name(mut self, name: &[u8]) -> io::Result<()> {
        let Some(unfinished) = &self.name else { return Ok(()) };
        self.disk.rename_at(&self.shard, unfinished.as_bytes(), name)?;
        self.name = None;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            match self.disk.remove_at(&self.shard, name.as_bytes(), AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                // Whoever counts the shard sweeps it.
                Err(error) => tracing::debug!(%error, name, "an unfinished file stays"),
            }
        }
    }
}
