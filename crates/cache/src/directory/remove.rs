//! Entries on their way out of the folder.

use rustix::fs::AtFlags;
use rustix::io::Errno;

use super::Directory;
use crate::error::DirectoryError;
use crate::name::EntryName;
use crate::root::Root;
use crate::shard::on_disk;

impl Directory {
    /// Removes an entry; whether it was there.
    ///
    /// # Errors
    /// What the system refuses.
    pub(crate) fn remove(&self, name: &EntryName) -> Result<bool, DirectoryError> {
        self.remove_file(&self.root(), name)
    }

    /// Removes what is in an entry's place, whatever it is.
    pub(super) fn remove_file(&self, root: &Root, name: &EntryName) -> Result<bool, DirectoryError> {
        let (mut ledger, path) = (self.lock(root)?, name.path());
        let stat = root.disk.stat_at(root.folder(), &path);
        let size = stat.map_or(0, |data| on_disk(u64::try_from(data.st_size).unwrap_or_default()));
        let remove = |flags| root.disk.remove_at(root.folder(), &path, flags);
        let removed = match remove(AtFlags::empty()) {
            // Only an empty folder: one with something in it is somebody's.
            Err(Errno::ISDIR | Errno::PERM) => remove(AtFlags::REMOVEDIR),
            other => other,
        };
        match removed {
            Ok(()) => ledger.subtract(name.shard(), size).map(|()| true),
            // Another process was faster.
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(DirectoryError::io("remove", &self.path_of(name))(error.into())),
        }
    }
}
