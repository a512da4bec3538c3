//! What an epoch says at its end: for people the paper's table, for programs everything.

use std::fmt;

use headwater_cli::Failures;
use headwater_client::Dataset;
use headwater_pilot::{Appraisal, Replan};
use headwater_plan::Resources;
use headwater_types::{BitsPerSecond, Digest, Way};
use serde::Serialize;

use crate::comparison::Comparison;
use crate::measured::Measured;
use crate::options::EpochOptions;
use crate::prepared::Prepared;

/// An epoch, as it went.
#[derive(Debug, Serialize)]
pub struct EpochReport {
    mode: String,
    dataset: String,
    dataset_digest: Digest,
    recipe: String,
    recipe_digest: Digest,
    seed: u64,
    epoch: u64,
    samples: u64,
    failed: u64,
    failures: Failures,
    batches: u64,
    /// Wall time, and samples a second of it.
    seconds: f64,
    samples_per_second: f64,
    /// Payloads; and payloads with their envelopes.
    payload_bytes: u64,
    bytes_received: u64,
    /// CPU seconds: of the servers' CPU workers, of finishing, and of this process in all.
    storage_cpu_seconds: f64,
    finish_cpu_seconds: f64,
    client_cpu_seconds: f64,
    servers: Vec<ServerRow>,
    ways: Vec<WayRow>,
    resources: Resources,
    limit_bandwidth_bps: Option<f64>,
    /// What was made of the epoch before it began, where it was to be profiled on the spot; null elsewhere.
    auto: Option<Appraisal>,
    /// Resource by resource: seconds that it was busy, as predicted and as measured.
    compared: Comparison,
    replans: Vec<Replan>,
    calls_replanned: u64,
    hedged: u64,
    hedges_won: u64,
    blocked_seconds: f64,
    /// Over all tensors, in any order.
    #[serde(skip_serializing_if = "Option::is_none")]
    tensors: Option<String>,
}

#[derive(Debug, Serialize)]
struct ServerRow {
    server: String,
    cpu_workers: u32,
    cpu_seconds: f64,
}

#[derive(Debug, Serialize)]
struct WayRow {
    way: Way,
    samples: u64,
    bytes: u64,
}

// === impl EpochReport ===

impl EpochReport {
    /// The samples that were streamed, failed samples included.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    pub(crate) fn new(options: &EpochOptions, dataset: &Dataset, prepared: &Prepared, measured: &Measured) -> Self {
        let seconds = measured.wall.as_secs_f64();
        let compared = Comparison::new(prepared.prediction.as_ref(), &prepared.resources, measured);
        let server = |(partition, &cpu_seconds): (&headwater_client::Partition, &f64)| ServerRow {
            server: partition.address.to_string(),
            cpu_workers: partition.cpu_workers,
            cpu_seconds,
        };
        let hex = |bytes: [u8; 32]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        Self {
            mode: options.shown_mode(),
            dataset: dataset.name().to_string(),
            dataset_digest: dataset.digest(),
            recipe: options.recipe.name().to_string(),
            recipe_digest: options.recipe.digest(),
            seed: options.address.seed.0,
            epoch: options.address.epoch.0,
            samples: measured.samples,
            failed: measured.failures.count(),
            failures: measured.failures.clone(),
            batches: measured.batches,
            seconds,
            samples_per_second: if seconds > 0.0 { measured.samples as f64 / seconds } else { 0.0 },
            payload_bytes: measured.payload,
            bytes_received: measured.received,
            storage_cpu_seconds: measured.there.iter().sum(),
            finish_cpu_seconds: measured.finishing,
            client_cpu_seconds: measured.here,
            servers: dataset.partitions().iter().zip(&measured.there).map(server).collect(),
            ways: measured.ways.iter().map(|(&way, &(samples, bytes))| WayRow { way, samples, bytes }).collect(),
            resources: prepared.resources.clone(),
            limit_bandwidth_bps: options.limit.map(BitsPerSecond::get),
            auto: prepared.appraisal.clone(),
            compared,
            replans: prepared.steering.replans(),
            calls_replanned: measured.calls_replanned,
            hedged: measured.hedged,
            hedges_won: measured.hedges_won,
            blocked_seconds: measured.blocked.as_secs_f64(),
            tensors: options.digest.then(|| hex(measured.tensors)),
        }
    }
}

impl fmt::Display for EpochReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.auto {
            Some(Appraisal { planned: true, measured, .. }) => {
                let of = self.samples;
                writeln!(
                    f,
                    "planned from {measured} of {of} samples, profiled just now: give --profile FILE for a better one"
                )?;
            }
            auto => {
                if let Some(reason) = auto.as_ref().and_then(Appraisal::reason) {
                    writeln!(f, "{reason} (see --profile-seconds)")?;
                }
            }
        }
        writeln!(
            f,
            "{:20}  {:>9}  {:>11}  {:>14}  {:>11}",
            "mode", "time, s", "traffic, MB", "storage CPU, s", "CPU here, s"
        )?;
        writeln!(
            f,
            "{:20}  {:>9.2}  {:>11.2}  {:>14.2}  {:>11.2}",
            self.mode,
            self.seconds,
            self.bytes_received as f64 / 1e6,
            self.storage_cpu_seconds,
            self.client_cpu_seconds
        )?;
        let ways: Vec<_> = self.ways.iter().map(|row| format!("{} {}", row.samples, row.way)).collect();
        writeln!(f, "{} samples ({} failed) came as: {}", self.samples, self.failed, ways.join(", "))?;
        for Replan { at, bandwidth, left, moved, predicted_rest, .. } in &self.replans {
            let bandwidth =
                bandwidth.map_or_else(|| "an unknown bandwidth".to_owned(), |bits| format!("{:.1} Mbps", bits / 1e6));
            writeln!(
                f,
                "after {at:.1} s planned anew for {bandwidth}: {moved} of {left} moved, {predicted_rest:.1} s to go"
            )?;
        }
        write!(f, "{}", self.compared)
    }
}
