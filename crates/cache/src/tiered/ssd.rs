//! The folder of the SSD's tier, which may come and go with its disk.
//!
//! A disk that is full, failing or read-only when the folder is opened, or later, means no tier on the SSD: entries are
//! not kept there, which is counted, and the disk is tried again now and then. What a person has to mend (a folder of
//! something else, of another version, or one that this user may not enter) is an error at once.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use headwater_types::ByteCount;
use rustix::io::Errno;

use super::settings::SsdSettings;
use crate::counters::DirectoryCounts;
use crate::directory::{Directory, DirectoryLimits};
use crate::disk::Disk;
use crate::error::DirectoryError;
use crate::not_kept::NotKept;

/// The folder, if it can be used.
#[derive(Debug)]
pub(super) struct Ssd {
    disk: Disk,
    settings: SsdSettings,
    opened: RwLock<Option<Arc<Directory>>>,
    /// Why it is not opened, as a reason for which nothing is kept.
    why: NotKept,
    asked: AtomicU64,
}

/// A folder that could not be opened is tried again once in so many times that it is asked for.
const TRY_AGAIN: u64 = 64;

// === impl Ssd ===

impl Ssd {
    /// Opens the folder, or leaves that for later, where its disk does not work.
    pub(super) fn open(disk: Disk, settings: SsdSettings) -> Result<Self, DirectoryError> {
        let (opened, why) = match open(&disk, &settings) {
            Ok(opened) => (Some(Arc::new(opened)), NotKept::Busy),
            Err(error) if is_of_disk(&error) => {
                tracing::warn!(%error, "the cache works without its SSD tier, and tries again now and then");
                (None, error.not_kept())
            }
            Err(error) => return Err(error),
        };
        Ok(Self { disk, settings, opened: RwLock::new(opened), why, asked: AtomicU64::new(0) })
    }

    /// The folder; `None` while it cannot be opened.
    pub(super) fn directory(&self) -> Option<Arc<Directory>> {
        let opened = self.opened.read().unwrap_or_else(PoisonError::into_inner).clone();
        opened.or_else(|| {
            let asked = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
            asked.is_multiple_of(TRY_AGAIN).then(|| self.open_again())?
        })
    }

    /// Why nothing is kept while there is no folder.
    pub(super) fn why(&self) -> NotKept {
        self.why
    }

    /// The most bytes that entries may take there.
    pub(super) fn limit(&self) -> ByteCount {
        self.settings.limit
    }

    /// What was done with the folder.
    pub(super) fn counts(&self) -> DirectoryCounts {
        let opened = self.opened.read().unwrap_or_else(PoisonError::into_inner);
        opened.as_ref().map(|directory| directory.counts()).unwrap_or_default()
    }

    fn open_again(&self) -> Option<Arc<Directory>> {
        let mut opened = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        if opened.is_none() {
            *opened = open(&self.disk, &self.settings).ok().map(Arc::new);
            if opened.is_some() {
                tracing::info!("the cache has its SSD tier again");
            }
        }
        opened.clone()
    }
}

fn open(disk: &Disk, settings: &SsdSettings) -> Result<Directory, DirectoryError> {
    let limits = DirectoryLimits { entries: settings.limit, floor: ByteCount::new(0) };
    let directory = Directory::open_on(disk, &settings.folder, limits)?;
    Ok(directory.with_floor(|total| {
        let share = ByteCount::new(total.get() / 10).min(settings.limit);
        settings.floor.map_or(share, |floor| floor.of(total))
    }))
}

/// Whether the disk is at fault, and may work later.
fn is_of_disk(error: &DirectoryError) -> bool {
    let DirectoryError::Io { source, .. } = error else { return false };
    let faults = [Errno::NOSPC, Errno::DQUOT, Errno::ROFS, Errno::IO, Errno::NODEV, Errno::STALE];
    faults.iter().any(|fault| source.raw_os_error() == Some(fault.raw_os_error()))
}
