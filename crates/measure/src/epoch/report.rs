//! What an epoch says at its end: for people the paper's table, for programs everything.

use std::fmt;

use headwater_cli::Failures;
use headwater_client::Dataset;
use headwater_pilot::{Appraisal, Replan};
use headwater_plan::{Prediction, Resources};
use headwater_types::{BitsPerSecond, Digest, Recipe, Way};
use serde::{Deserialize, Serialize};

use super::drive::Measured;
use super::{EpochArgs, Prepared};

/// An epoch, as it went.
#[derive(Debug, Serialize)]
pub(crate) struct EpochReport {
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
    compared: Compared,
    replans: Vec<Replan>,
    calls_replanned: u64,
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

/// Predicted and measured, for one resource each. What nothing limits has no seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Compared {
    pub(crate) epoch: Pair,
    pub(crate) network: Pair,
    pub(crate) storage_cpu: Pair,
    pub(crate) trainer_cpu: Pair,
    pub(crate) accelerator: Pair,
    /// Payload bytes.
    pub(crate) bytes: Pair,
}

/// A number as predicted and as measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pair {
    pub(crate) predicted: Option<f64>,
    pub(crate) measured: Option<f64>,
    /// Measured over predicted, less 1.
    pub(crate) error: Option<f64>,
}

// === impl EpochReport ===

impl EpochReport {
    pub(super) fn new(
        args: &EpochArgs,
        dataset: &Dataset,
        recipe: &Recipe,
        prepared: &Prepared,
        measured: &Measured,
    ) -> Self {
        let seconds = measured.wall.as_secs_f64();
        let compared = Compared::new(prepared.prediction.as_ref(), &prepared.resources, measured);
        let server = |(partition, &cpu_seconds): (&headwater_client::Partition, &f64)| ServerRow {
            server: partition.address.to_string(),
            cpu_workers: partition.cpu_workers,
            cpu_seconds,
        };
        let hex = |bytes: [u8; 32]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        Self {
            mode: args.shown_mode(),
            dataset: dataset.name().to_string(),
            dataset_digest: dataset.digest(),
            recipe: recipe.name().to_string(),
            recipe_digest: recipe.digest(),
            seed: args.run.address().seed.0,
            epoch: args.run.address().epoch.0,
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
            limit_bandwidth_bps: args.limit_bandwidth.map(BitsPerSecond::get),
            auto: prepared.appraisal.clone(),
            compared,
            replans: prepared.steering.replans(),
            calls_replanned: measured.calls_replanned,
            blocked_seconds: measured.blocked.as_secs_f64(),
            tensors: measured.tensors.map(hex),
        }
    }
}

// === impl Compared ===

impl Compared {
    fn new(prediction: Option<&Prediction>, resources: &Resources, measured: &Measured) -> Self {
        let predicted = prediction.map(Prediction::seconds);
        let pair = |predicted: Option<f64>, measured: Option<f64>| Pair::new(predicted, measured);
        let over = |bandwidth: BitsPerSecond| 8.0 * measured.received as f64 / bandwidth.get();
        let cores = |used: f64, cores: f64| if cores > 0.0 { used / cores } else { 0.0 };
        let there = resources.servers.iter().zip(&measured.there).map(|(has, &used)| cores(used, has.cores.get()));
        Self {
            epoch: pair(predicted.map(|seconds| seconds.epoch), Some(measured.wall.as_secs_f64())),
            network: pair(
                predicted.filter(|_| resources.bandwidth.is_some()).map(|seconds| seconds.network),
                resources.bandwidth.map(over),
            ),
            storage_cpu: pair(predicted.map(|seconds| seconds.storage_cpu), Some(there.fold(0.0, f64::max))),
            trainer_cpu: pair(
                predicted.map(|seconds| seconds.trainer_cpu),
                resources.trainer_cores.map(|has| cores(measured.here, has.get())),
            ),
            accelerator: pair(
                predicted.filter(|_| resources.accelerator_rate.is_some()).map(|seconds| seconds.accelerator),
                resources.accelerator_rate.map(|rate| measured.samples as f64 / rate.get()),
            ),
            bytes: pair(prediction.map(|prediction| prediction.bytes as f64), Some(measured.payload as f64)),
        }
    }

    /// Each resource with its name.
    pub(crate) fn rows(&self) -> [(&'static str, Pair); 6] {
        [
            ("epoch, s", self.epoch),
            ("network, s", self.network),
            ("storage CPU, s", self.storage_cpu),
            ("trainer CPU, s", self.trainer_cpu),
            ("accelerator, s", self.accelerator),
            ("payload, MB", self.bytes.times(1e-6)),
        ]
    }
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:16}  {:>10}  {:>10}  {:>8}", "", "predicted", "measured", "off by")?;
        let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"));
        for (name, Pair { predicted, measured, error }) in self.rows() {
            let off = error.map_or_else(|| "-".to_owned(), |error| format!("{:+.1} %", error * 100.0));
            write!(f, "\n{name:16}  {:>10}  {:>10}  {off:>8}", number(predicted), number(measured))?;
        }
        Ok(())
    }
}

// === impl Pair ===

impl Pair {
    pub(crate) fn new(predicted: Option<f64>, measured: Option<f64>) -> Self {
        let error = match (predicted, measured) {
            (Some(predicted), Some(measured)) if predicted > 0.0 => Some(measured / predicted - 1.0),
            _ => None,
        };
        Self { predicted, measured, error }
    }

    fn times(self, factor: f64) -> Self {
        let times = |value: Option<f64>| value.map(|value| value * factor);
        Self { predicted: times(self.predicted), measured: times(self.measured), ..self }
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
