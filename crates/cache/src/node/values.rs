//! A folder of values, each in a file of its own, named by its sample's index: of a tier in memory, or on an SSD.
//!
//! ```text
//! DIR/values/4711         one value's frame
//! DIR/unfinished/3-4711   one that member 3 is writing
//! ```
//!
//! Invariant: a file in `values` is whole, for it is renamed there once it is. Who reads a value that is removed
//! meanwhile reads it to its end.

use std::fs::{DirBuilder, File};
use std::io::{self, IoSlice, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, Mode, OFlags};
use rustix::io::Errno;

use super::error::NodeError;

pub(super) const VALUES: &str = "values";
pub(super) const UNFINISHED: &str = "unfinished";
const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW).union(OFlags::DIRECTORY);
const READ: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK);

#[derive(Debug)]
pub(super) struct Values {
    pub(super) path: PathBuf,
    values: File,
    unfinished: File,
    /// Bytes of a block of the file system.
    pub(super) block: u64,
}

// === impl Values ===

impl Values {
    /// Opens the two folders in this one, or makes them.
    pub(super) fn open(folder: &File, path: &Path) -> Result<Self, NodeError> {
        let inner = |name| open_folder(folder, name).map_err(NodeError::io("open", &path.join(name)));
        let disk = rustix::fs::fstatvfs(folder).map_err(|error| NodeError::io("read", path)(error.into()))?;
        let (values, unfinished) = (inner(VALUES)?, inner(UNFINISHED)?);
        Ok(Self { path: path.to_owned(), values, unfinished, block: disk.f_frsize.max(1) })
    }

    /// The file of a value; `None` where there is none.
    pub(super) fn get(&self, index: u64) -> io::Result<Option<File>> {
        match rustix::fs::openat(&self.values, Digits::of(index).as_str(), READ, Mode::empty()) {
            Ok(file) => Ok(Some(file.into())),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn has(&self, index: u64) -> io::Result<bool> {
        match rustix::fs::statat(&self.values, Digits::of(index).as_str(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes a value's file, in place of what is there.
    pub(super) fn put(&self, index: u64, member: u16, parts: &[&[u8]]) -> io::Result<()> {
        let name = format!("{member}-{index}");
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let mut file: File =
            rustix::fs::openat(&self.unfinished, &name, flags, Mode::from_raw_mode(0o600)).map(File::from)?;
        let written = write_all(&mut file, parts).and_then(|()| {
            let done = rustix::fs::renameat(&self.unfinished, &name, &self.values, Digits::of(index).as_str());
            done.map_err(io::Error::from)
        });
        if written.is_err() {
            // Whoever finds this member dead removes it otherwise.
            let _ = rustix::fs::unlinkat(&self.unfinished, &name, AtFlags::empty());
        }
        written
    }

    /// Removes a value's file; `false` where there was none.
    pub(super) fn remove(&self, index: u64) -> io::Result<bool> {
        removed(&self.values, Digits::of(index).as_str().as_bytes())
    }

    /// Removes what members left half written: one of them, or all.
    pub(super) fn sweep(&self, member: Option<u16>) -> io::Result<()> {
        let prefix = member.map(|member| format!("{member}-"));
        for entry in Dir::read_from(&self.unfinished)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if !matches!(name, b"." | b"..") && prefix.as_ref().is_none_or(|prefix| name.starts_with(prefix.as_bytes()))
            {
                removed(&self.unfinished, name)?;
            }
        }
        Ok(())
    }

    /// All values: index, bytes of the file, and when it was last written, in nanoseconds since 1970.
    pub(super) fn list(&self) -> io::Result<Vec<(u64, u64, u64)>> {
        let mut found = Vec::new();
        for entry in Dir::read_from(&self.values)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(index) = name.to_str().ok().and_then(|name| name.parse::<u64>().ok()) else { continue };
            match rustix::fs::statat(&self.values, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(data) => {
                    let written = data.st_mtime.unsigned_abs().saturating_mul(1_000_000_000);
                    found.push((index, data.st_size.unsigned_abs(), written.saturating_add(data.st_mtime_nsec)));
                }
                Err(Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(found)
    }

    /// Removes every value.
    pub(super) fn clear(&self) -> io::Result<()> {
        self.sweep(None)?;
        for entry in Dir::read_from(&self.values)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if !matches!(name, b"." | b"..") {
                removed(&self.values, name)?;
            }
        }
        Ok(())
    }
}

/// Opens a folder, or makes it, for this user alone. `NotPrivate` where it is another's, or others may write there.
pub(super) fn private_folder(path: &Path) -> Result<File, NodeError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(NodeError::io("make the folder", path))?;
    let opened = rustix::fs::open(path, FOLDER, Mode::empty()).map(File::from).map_err(io::Error::from);
    let folder = opened.map_err(NodeError::io("open", path))?;
    let data = folder.metadata().map_err(NodeError::io("read", path))?;
    match data.uid() == rustix::process::geteuid().as_raw() && data.mode() & 0o022 == 0 {
        true => Ok(folder),
        false => Err(NodeError::NotPrivate { path: path.to_owned() }),
    }
}

fn open_folder(folder: &File, name: &str) -> io::Result<File> {
    match rustix::fs::mkdirat(folder, name, Mode::from_raw_mode(0o700)) {
        Ok(()) | Err(Errno::EXIST) => Ok(rustix::fs::openat(folder, name, FOLDER, Mode::empty())?.into()),
        Err(error) => Err(error.into()),
    }
}

fn removed(folder: &File, name: &[u8]) -> io::Result<bool> {
    match rustix::fs::unlinkat(folder, name, AtFlags::empty()) {
        Ok(()) => Ok(true),
        Err(Errno::NOENT) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// All bytes of all parts, in as few calls as can be.
fn write_all(file: &mut File, parts: &[&[u8]]) -> io::Result<()> {
    let mut slices: Vec<_> = parts.iter().map(|part| IoSlice::new(part)).collect();
    let mut rest = &mut slices[..];
    while !rest.is_empty() {
        // More slices than the system takes at once are written in turn.
        let most = rest.len().min(512);
        match file.write_vectored(&rest[..most]) {
            Ok(0) if rest.iter().all(|slice| slice.is_empty()) => break,
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut rest, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// A number as text, without memory of its own: every hit needs one.
struct Digits([u8; 20], usize);

// === impl Digits ===

impl Digits {
    fn of(number: u64) -> Self {
        let (mut digits, mut at, mut rest) = ([b'0'; 20], 20, number);
        loop {
            at -= 1;
            // A digit.
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                return Self(digits, at);
            }
        }
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0[self.1..]).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> (tempfile::TempDir, Values) {
        let folder = tempfile::TempDir::new().unwrap();
        let opened = private_folder(&folder.path().join("cache")).unwrap();
        let values = Values::open(&opened, &folder.path().join("cache")).unwrap();
        (folder, values)
    }

    #[test]
    fn a_value_is_whole_under_its_index_and_nowhere_else() {
        let (folder, values) = values();
        assert!(values.get(7).unwrap().is_none());
        let parts: Vec<_> = (0..1100_u32).map(|part| part.to_le_bytes()).collect();
        values.put(7, 1, &parts.iter().map(|part| &part[..]).collect::<Vec<_>>()).unwrap();
        assert_eq!(std::fs::read(folder.path().join("cache/values/7")).unwrap(), parts.concat());
        let found: Vec<_> = values.list().unwrap().into_iter().map(|(index, length, _)| (index, length)).collect();
        assert_eq!(found, [(7, 4400)]);
        assert_eq!((values.remove(7).unwrap(), values.remove(7).unwrap()), (true, false));
    }

    #[test]
    fn what_one_member_left_is_swept_and_others_go_on() {
        let (folder, values) = values();
        let unfinished = |name: &str| folder.path().join("cache/unfinished").join(name);
        for name in ["1-7", "12-7"] {
            std::fs::write(unfinished(name), b"half").unwrap();
        }
        values.sweep(Some(1)).unwrap();
        assert_eq!((unfinished("1-7").exists(), unfinished("12-7").exists()), (false, true));
        values.sweep(None).unwrap();
        assert!(!unfinished("12-7").exists());
    }

    #[test]
    fn a_folder_that_others_may_write_to_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::TempDir::new().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(private_folder(folder.path()), Err(NodeError::NotPrivate { .. })));
    }

    #[test]
    fn numbers_are_written_as_they_are_read() {
        for number in [0, 7, 10, 1_281_167, u64::MAX] {
            assert_eq!(Digits::of(number).as_str(), number.to_string());
        }
    }
}
