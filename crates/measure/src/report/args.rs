//! The arguments of `profiler report`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use headwater_cli::exit::UsageError;
use headwater_plan::Allowed;

use super::sync::SyncReportArgs;
use crate::plan::LimitArgs;

const EXAMPLES: &str = "\
Examples:
  profiler report --profile photos.parquet --bandwidth 1Gbps \\
      --trainer-cores 16 --out report.html
  profiler report sync esync.jsonl sync.jsonl --out training.html

One page, with nothing loaded from elsewhere: bytes by way, who is cut where,
the predicted epoch over bandwidth and over cores beside every static mode,
and what the epoch waits for, where. The plan is the optimal one.";

/// `report` itself, and pages about other things.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct ReportCommand {
    #[command(subcommand)]
    pub(crate) action: Option<ReportAction>,

    #[command(flatten)]
    pub(crate) args: ReportArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReportAction {
    /// Write a page about runs of training over several servers, from their logs
    Sync(SyncReportArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// What samples cost: a file that `profiler dataset` or `profiler import` wrote (needed)
    // Not `required`, nor is `out`: with a subcommand they are not, and settings must be able to give them.
    #[arg(long, value_name = "FILE")]
    pub(crate) profile: Option<PathBuf>,

    /// The page to write; a file of this name is replaced (needed)
    #[arg(long, env = "HEADWATER_REPORT_OUT", value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,

    /// Cuts that may be chosen, in every coding [default: all that the profile has]
    #[arg(long, value_name = "CUT,...", value_delimiter = ',')]
    pub(crate) allow_cuts: Vec<Allowed>,

    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

// === impl ReportCommand ===

impl ReportCommand {
    pub(crate) fn check(&self) -> Result<(), UsageError> {
        match &self.action {
            Some(ReportAction::Sync(args)) => args.check(),
            None => self.args.profile().and_then(|_| self.args.out()).map(drop),
        }
    }
}

// === impl ReportArgs ===

impl ReportArgs {
    pub(crate) fn profile(&self) -> Result<&Path, UsageError> {
        let missing = "give --profile FILE: what samples cost, as `profiler dataset` or `profiler import` wrote it";
        self.profile.as_deref().ok_or_else(|| UsageError(missing.to_owned()))
    }

    pub(crate) fn out(&self) -> Result<&Path, UsageError> {
        self.out.as_deref().ok_or_else(|| UsageError("give --out FILE: the page to write".to_owned()))
    }
}
