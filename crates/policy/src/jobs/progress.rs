//! How far a job is, for a person who looks.

use headwater_types::{Address, JobName};

use super::job::Job;
use super::losses::Losses;

/// A job, as it has told of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The job.
    pub job: JobName,
    /// Its ranks that live.
    pub ranks: usize,
    /// Where it is, where its order is known.
    pub at: Option<Reached>,
    /// Whether it has said that nobody can compute its order.
    pub is_unknown: bool,
    /// Samples of which it has reported a loss.
    pub losses: u64,
}

/// Where a job is in its epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Seed and number of the epoch.
    pub address: Address,
    /// Samples that are done, on all servers.
    pub done: u64,
    /// Samples of the epoch, on all servers.
    pub of: u64,
}

// === impl Progress ===

impl Progress {
    pub(super) fn of(name: &JobName, job: &Job) -> Self {
        let at = job.epoch.as_ref().map(|epoch| Reached {
            address: epoch.address(),
            done: epoch.position(),
            of: epoch.horizon(false),
        });
        let losses = job.losses.as_ref().map_or(0, Losses::known);
        Self { job: name.clone(), ranks: job.ranks(), at, is_unknown: job.is_unknown, losses }
    }
}
