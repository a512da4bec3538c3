//! What lies in the folder, as somebody finds it who is to keep books of it.

use std::io;

use super::Directory;
use crate::error::DirectoryError;
use crate::root::{Root, shard_name};
use crate::shard::{Found, Shard};

/// Threads that list a folder: as many looks as a disk takes at a time.
const MOST_THREADS: usize = 8;

impl Directory {
    /// The entries that lie in the folder, those that were written first coming first. Takes one look at each, and no
    /// lock. Files that are being written, or were abandoned, are for [`Self::sweep`]: a shard that has any is swept.
    pub(crate) fn list(&self) -> Result<Vec<Found>, DirectoryError> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
        let failed = |error| DirectoryError::io("read", &self.path)(error);
        let listed = std::thread::scope(|scope| {
            let start = |thread| {
                let list = move || self.list_part(thread, threads);
                std::thread::Builder::new().name("cache-list".into()).spawn_scoped(scope, list).map_err(failed)
            };
            let threads = (0..threads).map(start).collect::<Result<Vec<_>, _>>()?;
            let ends = threads.into_iter().map(|thread| {
                thread.join().unwrap_or_else(|_| Err(failed(io::Error::other("a thread that lists it panicked"))))
            });
            ends.collect::<Result<Vec<_>, _>>()
        });
        let mut found: Vec<Found> = listed?.concat();
        found.sort_unstable_by_key(|found| found.written);
        Ok(found)
    }

    /// The entries of every so many-th folder.
    fn list_part(&self, part: usize, parts: usize) -> Result<Vec<Found>, DirectoryError> {
        let mut found = Vec::new();
        for shard in (0..=u8::MAX).skip(part).step_by(parts) {
            self.list_shard(shard, &mut found)?;
        }
        Ok(found)
    }

    /// The entries of one of the 256 folders.
    fn list_shard(&self, shard: u8, found: &mut Vec<Found>) -> Result<(), DirectoryError> {
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
