//! How large a cache is, and where it lies.

use std::io;
use std::path::PathBuf;

use headwater_policy::PolicyName;
use headwater_types::{Amount, ByteCount};

use crate::error::DirectoryError;

/// How a cache is opened.
#[derive(Clone, Debug)]
pub struct CacheSettings {
    /// The most bytes of entries in memory: those of the tier, and those that wait to be written to the SSD. 0 where
    /// the SSD works alone.
    pub memory: ByteCount,
    /// The SSD's tier, if there is one.
    pub ssd: Option<SsdSettings>,
    /// What is kept, where there is no room for all.
    pub policy: PolicyName,
}

/// The SSD's tier.
#[derive(Clone, Debug)]
pub struct SsdSettings {
    /// The folder of its entries, which may be shared by several servers and users.
    pub folder: PathBuf,
    /// The most bytes that the entries may take there, in whole blocks, over all processes.
    pub limit: ByteCount,
    /// What the file system is to have free: bytes, or a share of its size. `None`: a tenth of it, or the limit where
    /// that is less, because a cache need not leave more free than it may take.
    pub floor: Option<Amount>,
}

/// A cache that could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// A tier is so small that next to nothing would be in it.
    #[error("a cache of {limit} {tier} keeps next to nothing: give it at least {least}, or 0")]
    TooLow {
        /// Which tier.
        tier: &'static str,
        /// What it was given.
        limit: ByteCount,
        /// What it needs.
        least: ByteCount,
    },
    /// The system gives no further thread.
    #[error("cannot start the thread that writes to the SSD")]
    Thread {
        /// What the system said.
        source: io::Error,
    },
    /// The folder cannot be used.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
}

/// The least of a tier in memory: some small entries.
pub(super) const LEAST_MEMORY: ByteCount = ByteCount::new(4096);
/// The least of a tier on the SSD: 16 entries of one block.
pub(super) const LEAST_SSD: ByteCount = ByteCount::new(16 * 4096);

// === impl CacheSettings ===

impl CacheSettings {
    /// Refuses limits that are too low to work.
    pub(super) fn check(&self) -> Result<(), CacheError> {
        let ssd = self.ssd.as_ref().map_or(ByteCount::new(0), |ssd| ssd.limit);
        for (tier, limit, least) in [("in memory", self.memory, LEAST_MEMORY), ("on the SSD", ssd, LEAST_SSD)] {
            if limit.get() > 0 && limit < least {
                return Err(CacheError::TooLow { tier, limit, least });
            }
        }
        Ok(())
    }
}
