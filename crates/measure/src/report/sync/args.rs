//! The arguments of `profiler report sync`.

use std::path::PathBuf;

use clap::Args;
use headwater_cli::exit::UsageError;
use headwater_report::MOST_RUNS;

const EXAMPLES: &str = "\
Examples:
  profiler report sync esync.jsonl sync.jsonl --out report.html
  profiler report sync runs/*.jsonl --out report.html --json

One page of any number of runs, with nothing loaded from elsewhere: accuracy
over time, samples and bytes a second, what each worker's time goes into
beside what the plan has promised, local steps over rounds, staleness, and
who was lost. A run is called as its file is.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SyncReportArgs {
    /// Logs that `tuner fine-tune --log` wrote
    #[arg(value_name = "FILE", required = true)]
    pub(crate) logs: Vec<PathBuf>,

    /// The page to write; a file of this name is replaced
    #[arg(long, env = "HEADWATER_REPORT_SYNC_OUT", value_name = "FILE")]
    pub(crate) out: PathBuf,
}

// === impl SyncReportArgs ===

impl SyncReportArgs {
    pub(crate) fn check(&self) -> Result<(), UsageError> {
        match self.logs.len() {
            few if few <= MOST_RUNS => Ok(()),
            many => Err(UsageError(format!("{many} logs are more than the {MOST_RUNS} that a page shows: give fewer"))),
        }
    }
}
