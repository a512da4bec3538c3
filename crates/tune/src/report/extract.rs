//! The summary of an extraction.

use std::fmt;
use std::path::PathBuf;

use headwater_cli::Failures;
use headwater_types::{ByteCount, Digest};
use serde::Serialize;

use super::rate;
use super::table::Table;
use super::travel::TravelSummary;
use headwater_extraction::Travelled;
use headwater_tables::features::Contents;
use headwater_tables::features::FeatureProvenance;

/// What an extraction did. Counts are of the folder's contents; rates, of what was fetched this time.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ExtractSummary {
    dataset: String,
    dataset_digest: Digest,
    model: String,
    model_digest: Digest,
    recipe_digest: Digest,
    feature_len: usize,
    /// Samples that came, in this extraction or an earlier one into the same folder.
    images: u64,
    /// Samples of the dataset that are still to come: none, unless the extraction was stopped.
    missing: u64,
    /// Those that have a feature.
    features: u64,
    /// Those that have none, and why.
    failed: u64,
    failures: Failures,
    parts: u64,
    /// Samples that were there before.
    resumed: u64,
    /// Samples that were asked of the servers this time.
    fetched: u64,
    features_per_second: f64,
    /// From the start to the last file, in seconds.
    seconds: f64,
    #[serde(flatten)]
    travel: TravelSummary,
    out: PathBuf,
}

// === impl ExtractSummary ===

impl ExtractSummary {
    pub(crate) fn new(
        provenance: &FeatureProvenance,
        contents: &Contents,
        out: PathBuf,
        fetched: u64,
        received: ByteCount,
        travelled: Travelled,
    ) -> Self {
        Self {
            dataset: provenance.dataset.to_string(),
            dataset_digest: provenance.dataset_digest,
            model: provenance.model.to_string(),
            model_digest: provenance.model_digest,
            recipe_digest: provenance.recipe_digest,
            feature_len: provenance.feature_len,
            images: contents.samples,
            missing: provenance.samples - contents.samples,
            features: contents.samples - contents.failures.count(),
            failed: contents.failures.count(),
            failures: contents.failures.clone(),
            parts: contents.parts,
            resumed: provenance.samples - fetched,
            fetched,
            features_per_second: 0.0,
            seconds: 0.0,
            travel: TravelSummary::new(received, travelled),
            out,
        }
    }

    /// The same summary with these times in seconds: of the whole extraction, and of fetching alone.
    pub(crate) fn timed(self, seconds: f64, fetching: f64) -> Self {
        Self { seconds, features_per_second: rate(self.fetched, fetching), ..self }
    }
}

impl fmt::Display for ExtractSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::default();
        table
            .line("dataset", format!("{} ({})", self.dataset, self.dataset_digest.short()))
            .line("model", format!("{} ({})", self.model, self.model_digest.short()))
            .line("images", format!("{}, of which {} were there before", self.images, self.resumed))
            .line("missing", self.missing)
            .line("features", format!("{} of {} numbers", self.features, self.feature_len))
            .line("failed", &self.failures)
            .line("time", format!("{:.1} s, {:.1} features/s", self.seconds, self.features_per_second));
        self.travel.lines(&mut table);
        table.line("written", format!("{} files in {}", self.parts, self.out.display()));
        table.fmt(f)
    }
}
