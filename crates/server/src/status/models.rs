//! The models, and what waits for them.

use headwater_features::{Extractor, InferenceCounts};
use serde::Serialize;

/// A model that serves, or the front of a cut network.
#[derive(Debug, Serialize)]
pub(super) struct ModelStatus {
    /// Its name; of the front of a cut network, with the cut
    model: String,
    /// The BLAKE3 of its file
    digest: String,
    /// Where it runs
    device: String,
    /// Its recipe
    recipe: String,
    /// Samples that wait for it
    waiting: usize,
    /// Most samples of one run
    batch_limit: usize,
    /// Runs
    runs: u64,
    /// Samples of these runs
    batched: u64,
    /// Samples that it answered
    done: u64,
    /// Samples that it answered with a failure
    failed: u64,
}

// === impl ModelStatus ===

impl ModelStatus {
    pub(super) fn of(model: &Extractor) -> Self {
        let InferenceCounts { samples, batches, failed, batched, .. } = model.counts();
        Self {
            model: match model.cut() {
                None => model.name().to_string(),
                Some(cut) => format!("{}@{cut}", model.name()),
            },
            digest: model.digest().to_string(),
            device: model.runs_on(),
            recipe: model.recipe().name().to_string(),
            waiting: model.waiting(),
            batch_limit: model.max_batch().get(),
            runs: batches,
            batched,
            done: samples,
            failed,
        }
    }
}
