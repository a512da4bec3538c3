//! `profiler compare`: an epoch as it went against what was predicted of it, resource by resource.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use headwater_cli::input::read_at_most;
use headwater_cli::settings::Findings;
use headwater_plan::Prediction;
use serde::{Deserialize, Serialize};

use crate::epoch::{Compared, Pair};
use crate::plan::read_plan;

const EXAMPLES: &str = "\
Examples:
  profiler epoch --servers node1:7440 --dataset photos \\
      --recipe imagenet-train --mode plan photos.plan --json > epoch.json
  profiler compare epoch.json
  profiler compare epoch.json --plan photos.plan --json
  profiler compare no-off.json resize-off.json optimal.json

Of one epoch, each resource as predicted and as measured; of several, a
table with a line for each.";

/// Most bytes of an epoch's report: its lists are short, but for the changes of plan.
const MAX_REPORT_BYTES: u64 = 16 << 20;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CompareArgs {
    /// What profiler epoch --json printed
    #[arg(value_name = "EPOCH.json", required = true)]
    epochs: Vec<PathBuf>,

    /// Compare with what this plan predicts, and not with what the epoch's own did
    #[arg(long, env = "HEADWATER_COMPARE_PLAN", value_name = "FILE")]
    plan: Option<PathBuf>,
}

// === impl CompareArgs ===

impl CompareArgs {
    /// Notes what would keep the command from starting.
    pub(crate) fn check(&self, findings: &mut Findings) {
        self.epochs.iter().for_each(|epoch| findings.readable_file("EPOCH.json", epoch));
        self.plan.iter().for_each(|plan| drop(findings.note(read_plan(plan))));
    }
}

/// Why an epoch's report cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReportError {
    /// The file.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Which.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// Too large.
    #[error("{path} is no report of an epoch: it has more than {MAX_REPORT_BYTES} bytes")]
    TooLong {
        /// Which.
        path: String,
    },
    /// Something else.
    #[error("{path} is no report of an epoch (profiler epoch --json): {source}")]
    Form {
        /// Which.
        path: String,
        /// Where, and what.
        source: serde_json::Error,
    },
}

/// The part of an epoch's report that is compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Ran {
    mode: String,
    seconds: f64,
    bytes_received: u64,
    storage_cpu_seconds: f64,
    client_cpu_seconds: f64,
    compared: Compared,
}

#[derive(Debug, Serialize)]
struct Row {
    epoch: String,
    #[serde(flatten)]
    ran: Ran,
}

/// A row for each epoch.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Comparison(Vec<Row>);

/// Reads, compares, prints.
pub(crate) fn compare(args: &CompareArgs) -> anyhow::Result<Comparison> {
    let plan = args.plan.as_deref().map(read_plan).transpose()?;
    let mut rows = Vec::new();
    for path in &args.epochs {
        let mut ran = read(path)?;
        if let Some(plan) = &plan {
            ran.compared = against(&ran.compared, &plan.prediction);
        }
        let epoch = path.display().to_string();
        rows.push(Row { epoch, ran });
    }
    Ok(Comparison(rows))
}

fn read(path: &Path) -> Result<Ran, ReportError> {
    let shown = || path.display().to_string();
    let text = read_at_most(path, MAX_REPORT_BYTES).map_err(|source| ReportError::Read { path: shown(), source })?;
    if text.len() as u64 > MAX_REPORT_BYTES {
        return Err(ReportError::TooLong { path: shown() });
    }
    parse(&text).map_err(|source| ReportError::Form { path: shown(), source })
}

fn parse(text: &[u8]) -> serde_json::Result<Ran> {
    serde_json::from_slice(text)
}

/// Whether these bytes are an epoch's report, which can then be shown: what the fuzzer asks.
pub fn is_epoch_report(text: &[u8]) -> bool {
    parse(text).is_ok_and(|ran| !ran.compared.to_string().is_empty())
}

/// The same measurements against another prediction.
fn against(ran: &Compared, prediction: &Prediction) -> Compared {
    let seconds = prediction.seconds();
    let pair = |predicted: f64, pair: Pair| Pair::new(Some(predicted), pair.measured);
    Compared {
        epoch: pair(seconds.epoch, ran.epoch),
        network: pair(seconds.network, ran.network),
        storage_cpu: pair(seconds.storage_cpu, ran.storage_cpu),
        trainer_cpu: pair(seconds.trainer_cpu, ran.trainer_cpu),
        accelerator: pair(seconds.accelerator, ran.accelerator),
        bytes: pair(prediction.bytes as f64, ran.bytes),
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [one] = &self.0[..] {
            return write!(f, "{}: {}\n{}", one.epoch, one.ran.mode, one.ran.compared);
        }
        let heads = ["time, s", "predicted", "traffic, MB", "storage CPU, s", "CPU here, s"];
        write!(f, "{:20}", "mode")?;
        for head in heads {
            write!(f, "  {head:>14}")?;
        }
        for Row { ran, .. } in &self.0 {
            let predicted =
                ran.compared.epoch.predicted.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:.2}"));
            write!(f, "\n{:20}  {:>14.2}  {predicted:>14}", ran.mode, ran.seconds)?;
            write!(f, "  {:>14.2}", ran.bytes_received as f64 / 1e6)?;
            write!(f, "  {:>14.2}  {:>14.2}", ran.storage_cpu_seconds, ran.client_cpu_seconds)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_report_is_refused_with_the_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("epoch.json");
        for (text, words) in
            [("", "EOF"), ("{}", "missing field"), ("{\"mode\": 3}", "invalid type"), ("[1]", "line 1")]
        {
            std::fs::write(&path, text).unwrap();
            let error = read(&path).unwrap_err().to_string();
            assert!(error.contains(words) && error.contains("profiler epoch"), "{error}");
        }
        std::fs::write(&path, vec![b' '; MAX_REPORT_BYTES as usize + 1]).unwrap();
        assert!(matches!(read(&path), Err(ReportError::TooLong { .. })));
        assert!(matches!(read(folder.path()), Err(ReportError::Read { .. })));
    }

    #[test]
    fn the_fuzzers_reports_are_read_or_refused() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/epoch_report");
        let paths: Vec<_> = std::fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(paths.len() >= 3);
        for path in paths {
            let text = std::fs::read(&path).unwrap();
            let bad = path.file_name().unwrap().to_str().unwrap().starts_with("bad-");
            assert_eq!(is_epoch_report(&text), !bad, "{}", path.display());
            let end = text.trim_ascii_end().len();
            (0..end).for_each(|cut| assert!(!is_epoch_report(&text[..cut]), "{} cut at {cut}", path.display()));
        }
    }

    #[test]
    fn a_report_is_read_and_held_against_what_was_predicted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("epoch.json");
        let compared = Compared { epoch: Pair::new(Some(2.0), Some(2.2)), ..Compared::default() };
        let text = serde_json::json!({
            "mode": "optimal", "seconds": 2.2, "bytes_received": 7, "storage_cpu_seconds": 0.5,
            "client_cpu_seconds": 1.0, "compared": compared, "more": "is left alone",
        });
        std::fs::write(&path, text.to_string()).unwrap();
        let ran = read(&path).unwrap();
        assert!((ran.compared.epoch.error.unwrap() - 0.1).abs() < 1e-9);
        assert!(ran.compared.to_string().contains("+10.0 %"), "{}", ran.compared);
    }
}
