//! What a fetch says at its end.

use std::collections::BTreeMap;
use std::time::Duration;

use headwater_client::{Dataset, Partition};
use headwater_types::{Digest, Recipe};
use serde::Serialize;

use crate::args::FetchArgs;
use crate::row::Row;

/// The summary on standard output.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Summary {
    dataset: String,
    dataset_digest: Digest,
    /// Samples and stored bytes of the whole dataset.
    dataset_samples: u64,
    dataset_stored_bytes: u64,
    recipe: String,
    recipe_digest: Digest,
    cut: &'static str,
    seed: u64,
    epoch: u64,
    /// Samples that were asked for, and those of them that failed.
    samples: u64,
    failed: u64,
    failures: BTreeMap<&'static str, u64>,
    seconds: f64,
    samples_per_second: f64,
    /// Payloads and their envelopes.
    bytes_received: u64,
    retries: u64,
    reconnects: u64,
    out: String,
}

// === impl Summary ===

impl Summary {
    pub(crate) fn new(
        args: &FetchArgs,
        dataset: &Dataset,
        recipe: &Recipe,
        rows: &BTreeMap<u64, Row>,
        took: Duration,
    ) -> Self {
        let mut failures = BTreeMap::new();
        for error in rows.values().filter_map(|row| row.error.as_ref()) {
            *failures.entry(error.kind).or_default() += 1;
        }
        let (samples, seconds) = (rows.len() as u64, took.as_secs_f64());
        let stored = |partition: &Partition| partition.stored_bytes;
        let counters = dataset.counters();
        Self {
            dataset: args.dataset.to_string(),
            dataset_digest: dataset.digest(),
            dataset_samples: dataset.len(),
            dataset_stored_bytes: dataset.partitions().iter().map(stored).fold(0, u64::saturating_add),
            recipe: recipe.name().to_string(),
            recipe_digest: recipe.digest(),
            cut: args.cut.as_str(),
            seed: args.seed,
            epoch: args.epoch,
            samples,
            failed: failures.values().sum(),
            failures,
            seconds,
            samples_per_second: if seconds > 0.0 { samples as f64 / seconds } else { 0.0 },
            bytes_received: counters.bytes_received,
            retries: counters.retries,
            reconnects: counters.reconnects,
            out: args.out.display().to_string(),
        }
    }
}
