//! The arguments of `profiler plan` and `profiler explain`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use headwater_cli::exit::UsageError;
use headwater_plan::{Algorithm, Allowed};

use super::limits::LimitArgs;

const PLAN_EXAMPLES: &str = "\
Examples:
  profiler plan --profile photos.parquet --bandwidth 430Mbps \\
      --storage-cores 5 --out plan.txt
  profiler plan --profile photos.parquet --bandwidth 10Gbps \\
      --server-bandwidth node1:7440=1Gbps,node2:7440=2Gbps \\
      --storage-cores node1:7440=0 --trainer-cores 16 \\
      --accelerator-rate 2500 --out plan.txt
  profiler plan --profile photos.parquet --bandwidth 1Gbps \\
      --allow-cuts encoded,jpeg-crop,flipped --algorithm static:flipped \\
      --out plan.txt
  profiler plan --profile photos.parquet --bandwidth 1Gbps \\
      --reserve bandwidth=300Mbps,storage-cores@node1:7440=2 --out plan.txt
  profiler plan --profile features.parquet --bandwidth 1Gbps \\
      --storage-devices 2 --storage-device-rate 1500 --out plan.txt
  profiler plan export plan.txt --format csv

Algorithms:
  optimal         the shortest predicted epoch over all resources, with a
                  bound that no plan can beat
  sophon          the greedy of SOPHON's paper: one network, one pool of cores
  minimum-bytes   the fewest bytes for each sample
  static:CUT      one cut for all, such as static:cropped

The epoch is predicted as the time of the resource that takes longest. What
is not limited takes no time. A plan is a text file: its inputs, what it
predicts, and a line for each run of samples.";

const EXPORT_EXAMPLES: &str = "\
Examples:
  profiler plan export plan.txt --format csv > splits.csv

index,split with SOPHON's numbers: -1 encoded, 0 decoded, 1 cropped,
2 flipped, 3 tensor, 4 normalized. A plan with ways that SOPHON does not
have is refused.";

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  profiler explain --profile photos.parquet --plan plan.txt --sample 17
  profiler explain --profile photos.parquet --plan plan.txt \\
      --key red/a.jpg --json";

/// `plan` itself, and what else is done with plans.
#[derive(Debug, Args)]
#[command(after_help = PLAN_EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct PlanCommand {
    #[command(subcommand)]
    pub(crate) action: Option<PlanAction>,

    #[command(flatten)]
    pub(crate) args: PlanArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PlanAction {
    /// Write a plan in another program's form
    Export(ExportArgs),
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// What samples cost: a file that `profiler dataset` or `profiler import` wrote (needed)
    // Not `required`: with a subcommand it is not, and settings from variables and files must be able to give it.
    #[arg(long, value_name = "FILE")]
    pub(crate) profile: Option<PathBuf>,

    /// The plan to write; a file of this name is replaced [default: none is written]
    #[arg(long, env = "HEADWATER_PLAN_OUT", value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,

    /// Who decides: optimal, sophon, minimum-bytes or static:CUT
    #[arg(long, value_name = "NAME", default_value_t = Algorithm::Optimal)]
    pub(crate) algorithm: Algorithm,

    /// Cuts that may be chosen, in every coding; CUT+raw and CUT+lossless allow one [default: all that the profile has]
    #[arg(long, value_name = "CUT,...", value_delimiter = ',')]
    pub(crate) allow_cuts: Vec<Allowed>,

    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

#[derive(Debug, Args)]
#[command(after_help = EXPORT_EXAMPLES)]
pub(crate) struct ExportArgs {
    /// The plan
    #[arg(value_name = "PLAN")]
    pub(crate) plan: PathBuf,

    /// The form
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub(crate) format: ExportFormat,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum ExportFormat {
    /// SOPHON's: index,split
    #[default]
    Csv,
}

#[derive(Debug, Args)]
#[command(after_help = EXPLAIN_EXAMPLES)]
pub(crate) struct ExplainArgs {
    /// The profile that the plan was made from
    #[arg(long, value_name = "FILE")]
    pub(crate) profile: PathBuf,

    /// The plan
    #[arg(long, env = "HEADWATER_EXPLAIN_PLAN", value_name = "FILE")]
    pub(crate) plan: PathBuf,

    #[command(flatten)]
    pub(crate) which: WhichSample,
}

#[derive(Debug, Args)]
pub(crate) struct WhichSample {
    /// The sample's index in the dataset
    #[arg(long, value_name = "INDEX")]
    pub(crate) sample: Option<usize>,

    /// The sample's key
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
}

// === impl WhichSample ===

impl WhichSample {
    /// Whether the arguments name exactly one sample: clap sees only flags.
    pub(crate) fn check(&self) -> Result<(), UsageError> {
        let wrong = |words: &str| Err(UsageError(words.to_owned()));
        match (self.sample, &self.key) {
            (None, None) => wrong("give --sample INDEX or --key KEY: which sample is to be explained"),
            (Some(_), Some(_)) => wrong("--sample and --key exclude each other: give one"),
            _ => Ok(()),
        }
    }
}
