//! What a rank says, and what comes of it.

use std::time::Duration;

use headwater_types::caps::MAX_LEASE;
use headwater_types::{Address, JobName};

use super::order::EpochOrder;

/// Who announces something, and for how long it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcer {
    /// The job.
    pub job: JobName,
    /// The rank, from 0.
    pub rank: u32,
    /// How long it holds if nothing more comes; at most [`MAX_LEASE`] counts.
    pub lease: Duration,
}

/// What a rank announces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// It begins a pass, or goes on with one, in this order at this position.
    Begins(Box<EpochOrder>, u64),
    /// It begins a pass whose order nobody can compute, or still is in it.
    Unknown,
    /// In its pass of this address, what is before this position is done.
    Reached(Address, u64),
    /// It is done for good.
    Ends,
}

/// What became of an announcement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announced {
    /// It counts.
    Counts,
    /// The beginning of this pass is not known here: it has to be announced first.
    Unheard,
    /// There are as many jobs or ranks as are kept.
    Full,
}

// === impl Announcer ===

impl Announcer {
    /// Until when it holds that is said now.
    pub(crate) fn until(&self, now: Duration) -> Duration {
        now.saturating_add(self.lease.min(MAX_LEASE))
    }
}
