//! What a fetch says at its end.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use headwater_cli::Failures;
use headwater_client::{Dataset, Partition};
use headwater_pilot::Appraisal;
use headwater_types::{Cut, Digest, PixelCoding, Recipe, shown};
use serde::Serialize;

use super::args::FetchArgs;
use super::row::SampleRow;

/// The summary on standard output: a table for people, and everything for programs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct FetchSummary {
    dataset: String,
    dataset_digest: Digest,
    /// Samples and stored bytes of the whole dataset.
    dataset_samples: u64,
    dataset_stored_bytes: u64,
    recipe: String,
    recipe_digest: Digest,
    /// Null where a plan says it of each sample.
    cut: Option<&'static str>,
    pixels: PixelCoding,
    wire_floats: bool,
    seed: u64,
    epoch: u64,
    /// Samples that came; those of them that failed, and why; and samples that were asked for and did not come.
    samples: u64,
    failed: u64,
    failures: Failures,
    missing: u64,
    seconds: f64,
    samples_per_second: f64,
    /// Payloads and their envelopes.
    bytes_received: u64,
    /// Payloads alone. These two are not written where nobody asked for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    wire_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    wire: Vec<WireSummary>,
    retries: u64,
    reconnects: u64,
    hedged: u64,
    hedges_won: u64,
    /// What `--plan auto` made of the job before it began; null without it.
    auto: Option<Appraisal>,
    out: String,
}

/// Samples that travelled alike.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct WireSummary {
    cut: Cut,
    coding: Option<PixelCoding>,
    samples: u64,
    bytes: u64,
}

// === impl FetchSummary ===

impl FetchSummary {
    pub(super) fn new(
        args: &FetchArgs,
        dataset: &Dataset,
        recipe: &Recipe,
        rows: &BTreeMap<u64, SampleRow>,
        (asked, failures): (u64, Failures),
        took: Duration,
    ) -> Self {
        let (samples, seconds) = (rows.len() as u64, took.as_secs_f64());
        let stored = |partition: &Partition| partition.stored_bytes;
        let counters = dataset.counters();
        let wire = WireSummary::all(rows.values());
        Self {
            dataset: args.served.dataset.to_string(),
            dataset_digest: dataset.digest(),
            dataset_samples: dataset.len(),
            dataset_stored_bytes: dataset.partitions().iter().map(stored).fold(0, u64::saturating_add),
            recipe: recipe.name().to_string(),
            recipe_digest: recipe.digest(),
            cut: args.cut.map(Cut::as_str),
            pixels: args.pixels,
            wire_floats: args.wire_floats,
            seed: args.seed,
            epoch: args.epoch,
            samples,
            failed: failures.count(),
            failures,
            missing: asked.saturating_sub(samples),
            seconds,
            samples_per_second: if seconds > 0.0 { samples as f64 / seconds } else { 0.0 },
            bytes_received: counters.bytes_received,
            wire_bytes: args.wire_bytes.then(|| wire.iter().map(|kind| kind.bytes).sum()),
            wire,
            retries: counters.retries,
            reconnects: counters.reconnects,
            hedged: counters.hedged,
            hedges_won: counters.hedges_won,
            auto: None,
            out: args.out.display().to_string(),
        }
    }

    /// With what `--plan auto` made of the job.
    pub(super) fn planned(self, auto: Option<Appraisal>) -> Self {
        Self { auto, ..self }
    }
}

impl fmt::Display for FetchSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |name: &str, value: &dyn fmt::Display| writeln!(f, "{name:13}  {value}");
        line("dataset", &format_args!("{} ({})", self.dataset, self.dataset_digest.short()))?;
        line("recipe", &format_args!("{} ({})", self.recipe, self.recipe_digest.short()))?;
        line("cut", &self.cut.unwrap_or("as the plan says"))?;
        line("samples", &format_args!("{} of {}", self.samples, self.samples + self.missing))?;
        if let Some(reason) = self.auto.as_ref().and_then(Appraisal::reason) {
            line("plan", &format_args!("{reason} (see --profile-seconds)"))?;
        }
        line("failed", &self.failures)?;
        line("time", &format_args!("{:.1} s, {:.1} samples/s", self.seconds, self.samples_per_second))?;
        line("over the wire", &shown::bytes(self.bytes_received))?;
        for kind in &self.wire {
            let coding = kind.coding.map_or_else(String::new, |coding| format!(" {}", coding.as_str()));
            line("came as", &format_args!("{} {}{coding}: {}", kind.samples, kind.cut, shown::bytes(kind.bytes)))?;
        }
        write!(f, "{:13}  {}", "written to", self.out)
    }
}

// === impl WireSummary ===

impl WireSummary {
    /// Every kind that there is among these rows, earlier cuts first.
    fn all<'a>(rows: impl Iterator<Item = &'a SampleRow>) -> Vec<Self> {
        let mut kinds = Vec::<Self>::new();
        for wire in rows.filter_map(|row| row.wire) {
            let (Some(cut), Some(bytes), coding) = (wire.wire_cut, wire.wire_bytes, wire.coding) else { continue };
            match kinds.iter_mut().find(|kind| (kind.cut, kind.coding) == (cut, coding)) {
                Some(kind) => (kind.samples, kind.bytes) = (kind.samples + 1, kind.bytes + bytes),
                None => kinds.push(Self { cut, coding, samples: 1, bytes }),
            }
        }
        kinds.sort_by_key(|kind| (kind.cut, kind.coding.map(PixelCoding::as_str)));
        kinds
    }
}
