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

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

/// The beginning of every unfinished file's name.
pub(crate) const PREFIX: &str = "_";

/// Removed when it is dropped, unless it was named. Locked for as long as it is open.
#[derive(Debug)]
pub(crate) struct Unfinished {
    shard: File,
    name: Option<String>,
    file: File,
}

// === impl Unfinished ===

impl Unfinished {
    /// A new file of this length in a shard.
    pub(crate) fn create(shard: File, length: u64) -> io::Result<Self> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        // Another of this name, by chance: once in 2^64.
        let name = format!("{PREFIX}{:016x}", RandomState::new().hash_one(PREFIX));
        // As any other program's output: the umask decides. Who may enter the root is decided there.
        let file = rustix::fs::openat(&shard, &name, flags, Mode::from_raw_mode(0o666))?.into();
        let unfinished = Self { shard, name: Some(name), file };
        unfinished.file.lock()?;
        unfinished.file.set_len(length)?;
        Ok(unfinished)
    }

    /// The file, to write to.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Length of what has the name now: what [`Self::name`] would replace.
    pub(crate) fn replaces(&self, name: &[u8]) -> Option<u64> {
        let data = rustix::fs::statat(&self.shard, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        u64::try_from(data.st_size).ok()
    }

    /// Gives the file its name, in place of what has the name.
    pub(crate) fn name(mut self, name: &[u8]) -> io::Result<()> {
        let Some(unfinished) = &self.name else { return Ok(()) };
        rustix::fs::renameat(&self.shard, unfinished, &self.shard, name)?;
        self.name = None;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            match rustix::fs::unlinkat(&self.shard, name, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                // Whoever counts the shard sweeps it.
                Err(error) => tracing::debug!(%error, name, "an unfinished file stays"),
            }
        }
    }
}
