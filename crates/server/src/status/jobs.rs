//! Training jobs: where they are in their epochs.

use headwater_policy::jobs::Progress;
use serde::Serialize;

use crate::served::Served;

/// A training job, as it has told of itself.
#[derive(Debug, Serialize)]
pub(super) struct JobStatus {
    /// Its name
    job: String,
    /// The dataset that it reads
    dataset: String,
    /// Its ranks that have said something within their lease
    ranks: usize,
    /// Whether its order is `known`, `unknown`, or there is `none`: a job that only reports losses has none
    order: &'static str,
    /// The number of its epoch; null where its order is not known
    epoch: Option<u64>,
    /// Samples of the epoch that are done, on all servers; null where its order is not known
    done: Option<u64>,
    /// Samples of the epoch, on all servers; null where its order is not known
    of: Option<u64>,
    /// Samples of which it has reported a loss
    losses: u64,
}

/// The jobs that read the current generation of a dataset.
pub(super) fn of(served: &Served) -> Vec<JobStatus> {
    let progress = served.current().map(|now| now.jobs.progress()).unwrap_or_default();
    progress.into_iter().map(|job| JobStatus::of(served, &job)).collect()
}

// === impl JobStatus ===

impl JobStatus {
    fn of(served: &Served, progress: &Progress) -> Self {
        let Progress { job, ranks, at, is_unknown, losses } = progress;
        Self {
            job: job.to_string(),
            dataset: served.name.to_string(),
            ranks: *ranks,
            order: match (at, is_unknown) {
                (Some(_), _) => "known",
                (None, true) => "unknown",
                (None, false) => "none",
            },
            epoch: at.map(|at| at.address.epoch.0),
            done: at.map(|at| at.done),
            of: at.map(|at| at.of),
            losses: *losses,
        }
    }
}
