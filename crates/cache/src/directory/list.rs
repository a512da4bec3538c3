//! What lies in the folder, as somebody finds it who is to keep books of it.

use std::io;

use super::Directory;
use crate::error::DirectoryError;
use crate::root::{Root, shard_name};
use crate::shard::{Found, Shard};

impl Directory {
    /// The entries that lie in the folder, those that were written first coming first. Takes one look at each, and no
    /// lock. Files that are being written, or were abandoned, are for [`Self::sweep`]: a shard that has any is swept.
    pub(crate) fn list(&self) -> Result<Vec<Found>, DirectoryError> {
        let mut found = Vec::new();
        for shard in 0..=u8::MAX {
            self.list_shard(shard, &mut found)?;
        }
        found.sort_by_key(|found| found.written);
        Ok(found)
    }

    /// The entries of one of the 256 folders.
    pub(crate) fn list_shard(&self, shard: u8, found: &mut Vec<Found>) -> Result<(), DirectoryError> {
        let root = self.root();
        let folder = match root.shard(shard) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other,
        };
        let listed = folder.and_then(|folder| Shard { disk: &root.disk, folder, number: shard }.list(found));
        if listed.map_err(DirectoryError::io("read", &self.path.join(shard_name(shard))))? {
            self.sweep_shard(&root, shard)?;
        }
        Ok(())
    }

    /// Removes what was abandoned in a shard. Where another has the lock, it is left to whoever sweeps next.
    fn sweep_shard(&self, root: &Root, shard: u8) -> Result<(), DirectoryError> {
        match self.lock(root) {
            Ok(mut ledger) => self.sweep_locked(root, &mut ledger, shard, None).map(|_| ()),
            Err(DirectoryError::Busy { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
