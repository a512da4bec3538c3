//! The reasons for which an entry is not kept.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use headwater_types::WriteFault;

/// Why an entry is not kept: the folder's own limit, or what the disk says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NotKept {
    /// The folder takes as many bytes as it may. Setting: `--cache-ssd`.
    Limit,
    /// The file system has less free than it is to have.
    Floor,
    /// What is in the folder is being counted, or another process holds it.
    Busy,
    /// The folder could not be written.
    Disk(WriteFault),
}

/// Whether a folder took no writes the last time, and when to try again.
#[derive(Debug, Default)]
pub(crate) struct Blocked {
    /// 0, or the place of the reason in [`NotKept::ALL`] and 1.
    reason: AtomicUsize,
    asked: AtomicU64,
}

/// A folder that takes no writes is tried again once in so many times: making an entry costs far more than asking, and
/// whoever mends the disk need not start the program anew.
const TRY_AGAIN: u64 = 64;

// === impl NotKept ===

impl NotKept {
    /// Every reason.
    pub const ALL: [Self; 9] = [
        Self::Limit,
        Self::Floor,
        Self::Busy,
        Self::Disk(WriteFault::DiskFull),
        Self::Disk(WriteFault::QuotaFull),
        Self::Disk(WriteFault::FileTooLarge),
        Self::Disk(WriteFault::ReadOnly),
        Self::Disk(WriteFault::Forbidden),
        Self::Disk(WriteFault::Other),
    ];

    /// The reason's name in logs, metrics and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Floor => "free-space",
            Self::Busy => "busy",
            Self::Disk(fault) => fault.as_str(),
        }
    }

    /// Whether the disk takes no more, whatever the folder's own limit is.
    pub const fn is_of_disk(self) -> bool {
        matches!(self, Self::Floor | Self::Disk(_))
    }

    /// What is to be done about it.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Limit => "raise --cache-ssd",
            Self::Floor => "free some of the disk, or lower --cache-min-free: so much of it stays free",
            Self::Busy => {
                "it is being counted, which ends by itself; where it does not, another process that holds it was \
                 stopped"
            }
            Self::Disk(WriteFault::DiskFull) => "free some of the disk, or give an --cache-dir on another",
            Self::Disk(WriteFault::QuotaFull) => "free some of the quota, or give an --cache-dir elsewhere",
            Self::Disk(WriteFault::FileTooLarge) => "raise the limit on the length of files",
            Self::Disk(WriteFault::ReadOnly | WriteFault::Forbidden) => {
                "give an --cache-dir that this user may write to"
            }
            Self::Disk(WriteFault::Other) => "see what the system says",
        }
    }

    /// The place of the reason in [`Self::ALL`].
    pub(crate) fn place(self) -> usize {
        Self::ALL.iter().position(|each| *each == self).unwrap_or_default()
    }
}

impl fmt::Display for NotKept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

// === impl Blocked ===

impl Blocked {
    /// The last entry was put.
    pub(crate) fn end(&self) {
        self.reason.store(0, Ordering::Relaxed);
    }

    /// The last entry was not: of what is asked for each time nothing is remembered.
    pub(crate) fn begin(&self, why: NotKept) {
        if let NotKept::Disk(_) = why {
            self.asked.store(0, Ordering::Relaxed);
            self.reason.store(why.place() + 1, Ordering::Relaxed);
        }
    }

    /// Why nothing is put, unless it is to be tried.
    pub(crate) fn ask(&self) -> Option<NotKept> {
        let why = *NotKept::ALL.get(self.reason.load(Ordering::Relaxed).checked_sub(1)?)?;
        let asked = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        (!asked.is_multiple_of(TRY_AGAIN)).then_some(why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_took_nothing_is_tried_again_now_and_then() {
        let (blocked, why) = (Blocked::default(), NotKept::Disk(WriteFault::ReadOnly));
        assert_eq!(blocked.ask(), None);
        blocked.begin(NotKept::Limit);
        blocked.begin(NotKept::Busy);
        assert_eq!(blocked.ask(), None);
        blocked.begin(why);
        let tries = (0..10 * TRY_AGAIN).filter(|_| blocked.ask().is_none()).count();
        assert_eq!(tries, 10);
        assert_eq!(blocked.ask(), Some(why));
        blocked.end();
        assert_eq!(blocked.ask(), None);
    }

    #[test]
    fn every_reason_has_a_name_and_a_place_of_its_own() {
        for (place, why) in NotKept::ALL.into_iter().enumerate() {
            assert_eq!(why.place(), place);
            assert!(NotKept::ALL[..place].iter().all(|other| other.as_str() != why.as_str()));
        }
    }
}
