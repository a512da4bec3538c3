//! `profiler compare`: an epoch as it went against what was predicted of it, resource by resource.

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use headwater_cli::settings::Findings;
use headwater_epoch::EpochFile;
use headwater_tables::plan;
use serde::Serialize;

const EXAMPLES: &str = "\
Examples:
  profiler epoch --servers node1:7440 --dataset photos \\
      --recipe imagenet-train --mode plan photos.plan --json > epoch.json
  profiler compare epoch.json
  profiler compare epoch.json --plan photos.plan --json
  profiler compare no-off.json resize-off.json optimal.json

Of one epoch, each resource as predicted and as measured; of several, a
table with a line for each.";

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
        self.plan.iter().for_each(|plan| drop(findings.note(plan::read(plan))));
    }
}

#[derive(Debug, Serialize)]
struct ComparedEpoch {
    epoch: String,
    #[serde(flatten)]
    ran: EpochFile,
}

/// A row for each epoch.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct ComparedEpochs(Vec<ComparedEpoch>);

/// Reads, compares, prints.
pub(crate) fn compare(args: &CompareArgs) -> anyhow::Result<ComparedEpochs> {
    let plan = args.plan.as_deref().map(plan::read).transpose()?;
    let mut rows = Vec::new();
    for path in &args.epochs {
        let mut ran = EpochFile::read(path)?;
        if let Some(plan) = &plan {
            ran = ran.against(&plan.prediction);
        }
        let epoch = path.display().to_string();
        rows.push(ComparedEpoch { epoch, ran });
    }
    Ok(ComparedEpochs(rows))
}

impl fmt::Display for ComparedEpochs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [one] = &self.0[..] {
            return write!(f, "{}: {}\n{}", one.epoch, one.ran.mode, one.ran.compared);
        }
        let heads = ["time, s", "predicted", "traffic, MB", "storage CPU, s", "CPU here, s"];
        write!(f, "{:20}", "mode")?;
        for head in heads {
            write!(f, "  {head:>14}")?;
        }
        for ComparedEpoch { ran, .. } in &self.0 {
            let predicted =
                ran.compared.epoch.predicted.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:.2}"));
            write!(f, "\n{:20}  {:>14.2}  {predicted:>14}", ran.mode, ran.seconds)?;
            write!(f, "  {:>14.2}", ran.bytes_received as f64 / 1e6)?;
            write!(f, "  {:>14.2}  {:>14.2}", ran.storage_cpu_seconds, ran.client_cpu_seconds)?;
        }
        Ok(())
    }
}
