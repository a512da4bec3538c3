//! Whose the values on an SSD are: a small file beside them, and a lock that every process of the cache shares.
//!
//! ```text
//!  0       8          16      24         56
//! ┌───────┬──────────┬───────┬──────────┐
//! │ magic │ checksum │ token │ identity │
//! └───────┴──────────┴───────┴──────────┘
//!
//! magic     "HWOWNER" and the version of everything in the folder, 1
//! checksum  XXH3-64 of everything behind it
//! token     of the table in memory that has the values: processes of one table share the lock, and no others
//! identity  the digest of the dataset
//! ```

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use twox_hash::XxHash3_64;

use super::error::NodeError;
use super::layout::u64_at;
use super::values::{UNFINISHED, VALUES, Values, private_folder};

const OWNER: &str = "owner";
const IN_USE: &str = "in-use";
const MAGIC: &[u8; 8] = b"HWOWNER\x01";
const LENGTH: usize = 56;

/// The values on an SSD, which this process shares with those of the same table.
#[derive(Debug)]
pub(super) struct Owned {
    pub(super) values: Values,
    folder: File,
    in_use: File,
}

// === impl Owned ===

impl Owned {
    /// Opens the folder, or makes it.
    ///
    /// # Errors
    /// A folder with other files, or of another user.
    pub(super) fn open(path: &Path) -> Result<Self, NodeError> {
        let folder = private_folder(path)?;
        let path = path.canonicalize().map_err(NodeError::io("open", path))?;
        for entry in std::fs::read_dir(&path).map_err(NodeError::io("read", &path))? {
            let name = entry.map_err(NodeError::io("read", &path))?.file_name();
            if ![VALUES, UNFINISHED, OWNER, IN_USE].iter().any(|known| name == *known) {
                return Err(NodeError::NotOurs { path });
            }
        }
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let in_use = rustix::fs::openat(&folder, IN_USE, flags, Mode::from_raw_mode(0o600)).map(File::from);
        let in_use = in_use.map_err(|error| NodeError::io("open", &path.join(IN_USE))(error.into()))?;
        Ok(Self { values: Values::open(&folder, &path)?, folder, in_use })
    }

    /// Takes the folder for a new table; `false` where its values are another dataset's, and were removed.
    ///
    /// # Errors
    /// `InUse` where processes of another table have it.
    pub(super) fn take(&self, token: u64, identity: &[u8; 32]) -> Result<bool, NodeError> {
        let path = &self.values.path;
        if !tried(self.in_use.try_lock()).map_err(NodeError::io("lock", path))? {
            return Err(NodeError::InUse { path: path.clone() });
        }
        let owned = self.read().map_err(NodeError::io("read", path))?;
        let is_same = owned.is_some_and(|(_, found)| found == *identity);
        let made = (|| {
            self.values.sweep(None)?;
            if !is_same {
                self.values.clear()?;
            }
            self.write(token, identity)
        })();
        made.map_err(NodeError::io("write", path))?;
        self.share(token)?;
        Ok(is_same)
    }

    /// Joins the processes of a table.
    ///
    /// # Errors
    /// `InUse` where the folder is another table's.
    pub(super) fn share(&self, token: u64) -> Result<(), NodeError> {
        let path = &self.values.path;
        let in_use = || NodeError::InUse { path: path.clone() };
        if !tried(self.in_use.try_lock_shared()).map_err(NodeError::io("lock", path))? {
            return Err(in_use());
        }
        let owned = self.read().map_err(NodeError::io("read", path))?;
        owned.filter(|(found, _)| *found == token).map(drop).ok_or_else(in_use)
    }

    fn read(&self) -> io::Result<Option<(u64, [u8; 32])>> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let mut bytes = Vec::new();
        match rustix::fs::openat(&self.folder, OWNER, flags, Mode::empty()) {
            Ok(file) => File::from(file).take(LENGTH as u64 + 1).read_to_end(&mut bytes)?,
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let is_good =
            bytes.len() == LENGTH && bytes.starts_with(MAGIC) && u64_at(&bytes, 8) == XxHash3_64::oneshot(&bytes[16..]);
        let identity = bytes.get(24..).and_then(|rest| rest.first_chunk().copied());
        Ok(identity.filter(|_| is_good).map(|identity| (u64_at(&bytes, 16), identity)))
    }

    fn write(&self, token: u64, identity: &[u8; 32]) -> io::Result<()> {
        let rest = [&token.to_le_bytes()[..], identity].concat();
        let checksum = XxHash3_64::oneshot(&rest).to_le_bytes();
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let file = rustix::fs::openat(&self.folder, OWNER, flags, Mode::from_raw_mode(0o600))?;
        File::from(file).write_all(&[&MAGIC[..], &checksum, &rest].concat())
    }
}

fn tried(lock: Result<(), std::fs::TryLockError>) -> io::Result<bool> {
    match lock {
        Ok(()) => Ok(true),
        Err(std::fs::TryLockError::WouldBlock) => Ok(false),
        Err(std::fs::TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_one_tables_at_a_time_and_one_datasets() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("ssd");
        let open = || Owned::open(&path).unwrap();
        let first = open();
        assert!(!first.take(1, &[1; 32]).unwrap());
        first.values.put(7, 1, &[b"value"]).unwrap();
        // Another process of the same table, and of others.
        open().share(1).unwrap();
        assert!(matches!(open().share(2), Err(NodeError::InUse { .. })));
        assert!(matches!(open().take(2, &[1; 32]), Err(NodeError::InUse { .. })));
        drop(first);
        assert!(open().take(2, &[1; 32]).unwrap());
        assert!(open().values.has(7).unwrap());
        assert!(!open().take(3, &[2; 32]).unwrap());
        assert!(!open().values.has(7).unwrap());
    }

    #[test]
    fn a_folder_with_other_files_is_left_alone() {
        let folder = tempfile::TempDir::new().unwrap();
        std::fs::write(folder.path().join("photo.jpg"), b"photo").unwrap();
        assert!(matches!(Owned::open(folder.path()), Err(NodeError::NotOurs { .. })));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
