//! Every call to the disk, in one place, so that a test can make any of them fail. In production a [`Disk`] has no
//! size, and each of these is the system's call.
//!
//! ```text
//! directory, ledger, root, shard, unfinished, glimpse ─▶ Disk ─▶ the system
//!                                                         └─▶ in tests: Faults, which counts, and fails the n-th
//! ```

use std::ffi::CString;
use std::fs::{DirBuilder, File, Metadata, TryLockError};
use std::io::{self, IoSliceMut, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _};
use std::path::Path;

use rustix::buffer::spare_capacity;
use rustix::fs::{AtFlags, Dir, Mode, OFlags, Stat, StatVfs};
use rustix::io::{Errno, ReadWriteFlags, preadv2};

/// The way to the disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    #[cfg(test)]
    pub(crate) faults: std::sync::Arc<crate::faults::Faults>,
}

// === impl Disk ===

impl Disk {
    /// Where tests step in.
    #[cfg(not(test))]
    #[inline(always)]
    #[expect(clippy::unused_self, reason = "in tests it is the disk that decides")]
    fn ask(&self) -> Result<(), Errno> {
        Ok(())
    }

    #[cfg(test)]
    fn ask(&self) -> Result<(), Errno> {
        self.faults.ask()
    }

    /// Makes a folder and those around it, for this user only.
    pub(crate) fn make_path(&self, path: &Path) -> io::Result<()> {
        self.ask()?;
        DirBuilder::new().recursive(true).mode(0o700).create(path)
    }

    pub(crate) fn canonicalize(&self, path: &Path) -> io::Result<std::path::PathBuf> {
        self.ask()?;
        path.canonicalize()
    }

    /// Opens a file or a folder by its path.
    pub(crate) fn open(&self, path: &Path) -> io::Result<File> {
        self.ask()?;
        File::open(path)
    }

    pub(crate) fn stat(&self, path: &Path) -> io::Result<Metadata> {
        self.ask()?;
        std::fs::metadata(path)
    }

    pub(crate) fn stat_file(&self, file: &File) -> io::Result<Metadata> {
        self.ask()?;
        file.metadata()
    }

    pub(crate) fn stat_at(&self, folder: &File, name: &[u8]) -> Result<Stat, Errno> {
        self.ask()?;
        rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)
    }

    pub(crate) fn open_at(&self, folder: &File, name: &[u8], flags: OFlags, mode: Mode) -> Result<File, Errno> {
        self.ask()?;
        rustix::fs::openat(folder, name, flags, mode).map(File::from)
    }

    pub(crate) fn make_folder_at(&self, folder: &File, name: &[u8], mode: Mode) -> Result<(), Errno> {
        self.ask()?;
        rustix::fs::mkdirat(folder, name, mode)
    }

    pub(crate) fn set_mode(&self, file: &File, mode: Mode) -> Result<(), Errno> {
        self.ask()?;
        rustix::fs::fchmod(file, mode)
    }

    pub(crate) fn rename_at(&self, folder: &File, from: &[u8], to: &[u8]) -> Result<(), Errno> {
        self.ask()?;
        rustix::fs::renameat(folder, from, folder, to)
    }

    pub(crate) fn remove_at(&self, folder: &File, name: &[u8], flags: AtFlags) -> Result<(), Errno> {
        self.ask()?;
        rustix::fs::unlinkat(folder, name, flags)
    }

    /// What lies in a folder but itself and the one around it, one by one.
    pub(crate) fn list(&self, folder: &File) -> io::Result<impl Iterator<Item = io::Result<CString>>> {
        self.ask()?;
        let disk = self.clone();
        let entries = Dir::read_from(folder)?.map(move |entry| {
            disk.ask()?;
            Ok(entry?.file_name().to_owned())
        });
        Ok(entries.filter(|name| !matches!(name, Ok(name) if matches!(name.to_bytes(), b"." | b".."))))
    }

    /// Space and files left.
    pub(crate) fn room(&self, folder: &File) -> Result<StatVfs, Errno> {
        self.ask()?;
        rustix::fs::fstatvfs(folder)
    }

    pub(crate) fn set_length(&self, file: &File, length: u64) -> io::Result<()> {
        self.ask()?;
        file.set_len(length)
    }

    pub(crate) fn write_all(&self, mut file: &File, bytes: &[u8]) -> io::Result<()> {
        self.ask()?;
        file.write_all(bytes)
    }

    pub(crate) fn write_all_at(&self, file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
        self.ask()?;
        file.write_all_at(bytes, at)
    }

    pub(crate) fn read_exact_at(&self, file: &File, bytes: &mut [u8], at: u64) -> io::Result<()> {
        self.ask()?;
        file.read_exact_at(bytes, at)
    }

    /// Reads behind what is in the buffer, as far as its capacity goes.
    pub(crate) fn read(&self, file: &File, bytes: &mut Vec<u8>) -> io::Result<usize> {
        self.ask()?;
        Ok(rustix::io::retry_on_intr(|| rustix::io::read(file, spare_capacity(bytes)))?)
    }

    /// Reads what the system has in memory. A file system that cannot tell (EOPNOTSUPP) is one that may wait.
    pub(crate) fn read_now(&self, file: &File, place: &mut [u8], at: u64) -> Result<usize, Errno> {
        self.ask()?;
        preadv2(file, &mut [IoSliceMut::new(place)], at, ReadWriteFlags::NOWAIT)
    }

    pub(crate) fn lock(&self, file: &File) -> io::Result<()> {
        self.ask()?;
        file.lock()
    }

    pub(crate) fn try_lock(&self, file: &File) -> Result<(), TryLockError> {
        self.ask().map_err(|error| TryLockError::Error(error.into()))?;
        file.try_lock()
    }

    pub(crate) fn unlock(&self, file: &File) -> io::Result<()> {
        self.ask()?;
        file.unlock()
    }
}
