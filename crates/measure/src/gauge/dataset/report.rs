//! What `profiler dataset` says: the totals of each way, and how far predictions are off.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use headwater_cli::Failures;
use headwater_plan::{Cost, Profile};
use headwater_types::Way;
use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct ProfileReport {
    profile: String,
    digest: headwater_types::Digest,
    samples: u64,
    /// Those that were measured at some way, each so many times.
    measured: u64,
    repeats: usize,
    /// What measuring took.
    seconds: f64,
    /// Photos whose headers cannot be read, and why.
    failed: u64,
    failures: Failures,
    ways: Vec<ProfiledWay>,
    envelope_bytes: f64,
    envelope_per_byte: f64,
    receive_seconds: f64,
    receive_seconds_per_byte: f64,
}

/// Totals of a way, and how far predictions are off.
#[derive(Serialize)]
struct ProfiledWay {
    way: Way,
    /// Samples that were measured at it.
    measured: u64,
    /// Samples of which it is known what they cost at it: the sums are of these, and plans cut no other sample so.
    known: u64,
    /// By how much its total bytes are expected to be off at most, as a part of them, and its CPU seconds, as a part of
    /// what ways take on average, with 95 % confidence: the largest of them. Null where nothing is known of that, 0
    /// where every sample was measured.
    total_error: Option<f64>,
    bytes: u64,
    storage_seconds: f64,
    trainer_seconds: f64,
    error_bytes: Option<f64>,
    error_storage_seconds: Option<f64>,
    error_trainer_seconds: Option<f64>,
}

// === impl ProfileReport ===

impl ProfileReport {
    pub(super) fn new(out: &Path, profile: &Profile, failures: Failures, (repeats, took): (usize, Duration)) -> Self {
        let provenance = profile.provenance();
        let seconds = |of: fn(Cost) -> f64| -> Vec<f64> {
            let total = |position| (0..profile.len()).filter_map(|index| profile.cost(index, position)).map(of).sum();
            (0..profile.ways().len()).map(total).collect()
        };
        let (there, here) = (seconds(|cost| cost.storage_seconds), seconds(|cost| cost.trainer_seconds));
        let weight = |of: &[f64], position: usize| {
            let average = of.iter().sum::<f64>() / of.len() as f64;
            if average > 0.0 { of[position] / average } else { 0.0 }
        };
        let row = |(position, &way): (usize, &Way)| {
            let weights = [1.0, weight(&there, position), weight(&here, position)];
            let costs = (0..profile.len()).filter_map(|index| profile.cost(index, position));
            let fit = provenance.fits.iter().find(|fit| fit.way == way);
            ProfiledWay {
                way,
                measured: fit.and_then(|fit| fit.measured).unwrap_or(profile.len() as u64),
                total_error: fit.map_or(Some(0.0), |fit| fit.error_of_total(profile.len() as u64, weights)),
                known: costs.clone().count() as u64,
                bytes: costs.clone().map(|cost| cost.bytes).sum(),
                storage_seconds: costs.clone().map(|cost| cost.storage_seconds).sum(),
                trainer_seconds: costs.map(|cost| cost.trainer_seconds).sum(),
                error_bytes: fit.and_then(|fit| fit.bytes),
                error_storage_seconds: fit.and_then(|fit| fit.storage_seconds),
                error_trainer_seconds: fit.and_then(|fit| fit.trainer_seconds),
            }
        };
        let overheads = provenance.overheads;
        Self {
            profile: out.display().to_string(),
            digest: profile.digest(),
            samples: profile.len() as u64,
            measured: provenance.measured,
            repeats,
            seconds: took.as_secs_f64(),
            failed: failures.count(),
            failures,
            ways: profile.ways().iter().enumerate().map(row).collect(),
            envelope_bytes: overheads.envelope_bytes,
            envelope_per_byte: overheads.envelope_per_byte,
            receive_seconds: overheads.receive_seconds,
            receive_seconds_per_byte: overheads.receive_seconds_per_byte,
        }
    }
}

impl fmt::Display for ProfileReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { samples, measured, repeats, seconds, .. } = self;
        let times = if *repeats == 1 { "once".to_owned() } else { format!("{repeats} times") };
        writeln!(f, "{samples} samples, {measured} of them measured, {times} at each way, in {seconds:.1} s")?;
        write!(
            f,
            "{:18}  {:>8}  {:>9}  {:>11}  {:>8}  {:>12}  error of one: bytes, there, here",
            "all samples at", "measured", "MB", "storage, s", "here, s", "all within"
        )?;
        for row in &self.ways {
            let percent =
                |error: Option<f64>| error.map_or_else(|| "-".to_owned(), |part| format!("{:.0} %", part * 100.0));
            let [bytes, storage, trainer] =
                [row.error_bytes, row.error_storage_seconds, row.error_trainer_seconds].map(percent);
            let (megabytes, there, here) = (row.bytes as f64 / 1e6, row.storage_seconds, row.trainer_seconds);
            let within = row.total_error.map_or_else(|| "-".to_owned(), |part| format!("{:.1} %", part * 100.0));
            write!(
                f,
                "\n{:18}  {:>8}  {megabytes:>9.2}  {there:>11.3}  {here:>8.3}  {within:>12}  {bytes}, {storage}, \
                 {trainer}",
                row.way, row.measured,
            )?;
        }
        for row in self.ways.iter().filter(|row| row.known < *samples) {
            write!(
                f,
                "\n{}: known of {} samples only, and summed over these; plans cut no other so",
                row.way, row.known
            )?;
        }
        write!(
            f,
            "\nbeside these, a sample takes {:.0} bytes and {:.0} us of a core here\nwritten to {}",
            self.envelope_bytes,
            self.receive_seconds * 1e6,
            self.profile
        )
    }
}
