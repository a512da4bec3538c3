//! The folder counted, shard by shard, and rid of what was abandoned and of what is dead.

use std::io;
use std::time::Duration;

use super::Directory;
use crate::error::DirectoryError;
use crate::ledger::LockedLedger;
use crate::living::Living;
use crate::root::{Root, shard_name};
use crate::shard::{Shard, Swept};

/// How often, and how many times, a sweep asks for the lock of a shard before it gives up.
const SWEEP_PAUSE: Duration = Duration::from_millis(100);
const SWEEP_TRIES: u32 = 600;

impl Directory {
    /// Removes files that were abandoned while they were written, and the entries that are dead by what somebody knows
    /// to be alive; and counts the rest, so that the usage is exact whatever has happened to the folder. Takes a few
    /// microseconds for each entry; others can get and put meanwhile. `go_on` is asked between shards, with how many of
    /// the 256 are done.
    ///
    /// # Errors
    /// What the system refuses; a lock that another process does not give back.
    pub fn sweep(&self, living: Option<&Living>, go_on: impl Fn(usize) -> bool) -> Result<Swept, DirectoryError> {
        let (root, mut swept) = (self.root(), Swept::default());
        for shard in (0..=u8::MAX).take_while(|shard| go_on(usize::from(*shard))) {
            let mut ledger = self.lock_patiently(&root, || go_on(usize::from(shard)))?;
            swept.absorb(self.sweep_locked(&root, &mut ledger, shard, living)?);
        }
        self.usage();
        Ok(swept)
    }

    /// Sweeps one of the 256 folders.
    pub(super) fn sweep_locked(
        &self,
        root: &Root,
        ledger: &mut LockedLedger<'_>,
        shard: u8,
        living: Option<&Living>,
    ) -> Result<Swept, DirectoryError> {
        let swept = match root.shard(shard) {
            Ok(folder) => Shard { disk: &root.disk, folder, number: shard }.sweep(living),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Swept::default()),
            Err(error) => Err(error),
        };
        let swept = swept.map_err(DirectoryError::io("read", &self.path.join(shard_name(shard))))?;
        ledger.set(shard, swept.bytes)?;
        self.counters.dropped.add_all(swept.dropped);
        Ok(swept)
    }

    /// Locks the ledger however long that takes, while the sweep is to go on.
    fn lock_patiently<'a>(&self, root: &'a Root, go_on: impl Fn() -> bool) -> Result<LockedLedger<'a>, DirectoryError> {
        for _ in 1..SWEEP_TRIES {
            match self.lock(root) {
                Err(DirectoryError::Busy { .. }) if go_on() => std::thread::park_timeout(SWEEP_PAUSE),
                other => return other,
            }
        }
        self.lock(root)
    }
}
