//! The arguments of `profiler report`.

use std::path::PathBuf;

use clap::Args;

use headwater_plan::Allowed;

use crate::plan::LimitArgs;

const EXAMPLES: &str = "\
Examples:
  profiler report --profile photos.parquet --bandwidth 1Gbps \\
      --trainer-cores 16 --out report.html

One page, with nothing loaded from elsewhere: bytes by way, who is cut where,
the predicted epoch over bandwidth and over cores beside every static mode,
and what the epoch waits for, where. The plan is the optimal one.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ReportArgs {
    /// What samples cost: a file that `profiler dataset` or `profiler import` wrote
    #[arg(long, value_name = "FILE")]
    pub(crate) profile: PathBuf,

    /// The page to write; a file of this name is replaced
    #[arg(long, env = "HEADWATER_REPORT_OUT", value_name = "FILE")]
    pub(crate) out: PathBuf,

    /// Cuts that may be chosen, in every coding [default: all that the profile has]
    #[arg(long, value_name = "CUT,...", value_delimiter = ',')]
    pub(crate) allow_cuts: Vec<Allowed>,

    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}
