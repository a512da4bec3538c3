//! Samples that failed, by kind and by key, and calls that were refused.

use std::sync::Arc;

use headwater_types::FailureKind;
use serde::Serialize;

use crate::metrics::{LastFailure, Metrics};
use crate::served::Served;

/// What went wrong.
#[derive(Debug, Serialize)]
pub(super) struct FailureStatus {
    /// Samples that failed, by dataset and kind: only kinds of which there were some
    kinds: Vec<KindStatus>,
    /// The samples that failed last, the latest first: at most a hundred
    last: Vec<LastStatus>,
    /// Calls that were refused whole: only for reasons for which some were
    refused: Vec<RefusedStatus>,
}

/// Samples that failed in one way.
#[derive(Debug, Serialize)]
pub(super) struct KindStatus {
    /// The dataset
    dataset: String,
    /// The kind: see [failures.md](failures.md)
    kind: &'static str,
    /// How many
    samples: u64,
}

/// A sample that failed.
#[derive(Debug, Serialize)]
pub(super) struct LastStatus {
    /// Its dataset
    dataset: String,
    /// Its key; null for an index that is not in the dataset
    key: Option<String>,
    /// Its index, as it was when it failed
    index: u64,
    /// The kind: see [failures.md](failures.md)
    kind: &'static str,
    /// What went wrong, cut where it is long
    message: String,
    /// How often it failed so
    times: u64,
    /// Seconds since it failed last
    age_seconds: f64,
}

/// Calls that were refused for one reason.
#[derive(Debug, Serialize)]
pub(super) struct RefusedStatus {
    /// The reason, as in the metric `headwater_calls_refused`
    reason: &'static str,
    /// How many
    calls: u64,
}

// === impl FailureStatus ===

impl FailureStatus {
    /// Of these datasets, and of no other.
    pub(super) fn of(metrics: &Metrics, shown: &[&Arc<Served>], shows: impl Fn(&str) -> bool) -> Self {
        let kinds = shown.iter().flat_map(|served| {
            let dataset = served.name.to_string();
            let failed: Vec<_> = metrics.samples(&served.name).failed().filter(|(_, samples)| *samples > 0).collect();
            let status = move |(kind, samples): (FailureKind, u64)| KindStatus {
                dataset: dataset.clone(),
                kind: kind.as_str(),
                samples,
            };
            failed.into_iter().map(status)
        });
        let last = metrics.last_failures().into_iter().filter(|each| shows(each.dataset.as_str()));
        let refused = metrics.refusals().filter(|(_, calls)| *calls > 0);
        Self {
            kinds: kinds.collect(),
            last: last.map(LastStatus::of).collect(),
            refused: refused.map(|(reason, calls)| RefusedStatus { reason, calls }).collect(),
        }
    }
}

// === impl LastStatus ===

impl LastStatus {
    fn of(failure: LastFailure) -> Self {
        let LastFailure { dataset, index, key, kind, message, times, at } = failure;
        Self {
            dataset: dataset.to_string(),
            key: key.map(|key| key.as_str().to_owned()),
            index: index.0,
            kind: kind.as_str(),
            message,
            times,
            age_seconds: at.elapsed().as_secs_f64(),
        }
    }
}
