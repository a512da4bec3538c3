//! The arguments of `profiler simulate`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use headwater_cli::exit::UsageError;
use headwater_policy::{PolicyName, TierSizes};
use headwater_types::ByteCount;
use headwater_types::caps::MOST_SUBSTITUTED;

use super::sync::SyncArgs;

const EXAMPLES: &str = "\
Examples:
  profiler simulate cache --trace photos.tsv --policy planned \\
      --memory 4GiB --ssd 300GB
  profiler simulate cache --trace photos.tsv --policy lru --memory 530088 \\
      --ssd 1060176 --dump --json
  profiler simulate cache --trace photos.tsv --policy static \\
      --memory 4GiB --ssd 12GiB --curve page.html

A trace is text: a line that names its columns, then one access a line, with
tabs between its fields. Columns, in any order ('#' may start the first line):
  sample or key  which sample is read (needed)
  epoch          the job's epoch [all rows are one]
  bytes or size  bytes of the sample, in either tier [1]
  cost           seconds to bring it back from its origin [1]
  loss           its loss in this access: its importance from here on [1]
  flag           1: it was picked for its importance; 0: it was not [1].
                 What was not picked counts a quarter
  full_access    1: its epoch reads all samples, and flag says nothing [0]
  job            who reads it [one job]

planned knows the order of the epoch that a job is in, and with several jobs
that of --lookahead epochs beyond it; belady knows everything.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SimulateArgs {
    #[command(subcommand)]
    pub(crate) what: Simulated,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Simulated {
    /// Replay a trace of accesses through a cache of two tiers, by the policies that servers run
    Cache(CacheArgs),
    /// Train in rounds over unequal workers on a virtual clock: local steps by plan, samples and bytes a second
    Sync(SyncArgs),
}

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CacheArgs {
    /// The accesses: tab-separated text with a header
    #[arg(long, env = "HEADWATER_SIMULATE_TRACE", value_name = "FILE")]
    pub(crate) trace: PathBuf,

    /// Who decides what is kept: planned, importance, static, lru, lfu, s3-fifo or belady
    #[arg(long, env = "HEADWATER_SIMULATE_POLICY", value_name = "POLICY")]
    pub(crate) policy: PolicyName,

    /// The size of the memory tier; 0 for none
    #[arg(long, env = "HEADWATER_SIMULATE_MEMORY", value_name = "BYTES", default_value = "0")]
    pub(crate) memory: ByteCount,

    /// The size of the SSD tier; 0 for none
    #[arg(long, env = "HEADWATER_SIMULATE_SSD", value_name = "BYTES", default_value = "0")]
    pub(crate) ssd: ByteCount,

    /// Epochs beyond the one that a job is in, whose order is known where there are several jobs
    #[arg(long, env = "HEADWATER_SIMULATE_LOOKAHEAD", value_name = "EPOCHS", default_value_t = 1)]
    pub(crate) lookahead: u32,

    /// Which part of a job's samples is of low importance, by the losses of its epochs before: another one of these
    /// that is cached is given in the place of one that is not, each at most once an epoch. Above 0, and at most 0.5
    #[arg(long, env = "HEADWATER_SIMULATE_SUBSTITUTE", value_name = "SHARE")]
    pub(crate) substitute: Option<f64>,

    /// Give the keys that are left in each tier too
    #[arg(long, env = "HEADWATER_SIMULATE_DUMP")]
    pub(crate) dump: bool,

    /// A page to write, with hit rates over sizes for every policy; a file of this name is replaced
    #[arg(long, env = "HEADWATER_SIMULATE_CURVE", value_name = "FILE")]
    pub(crate) curve: Option<PathBuf>,
}

// === impl CacheArgs ===

impl CacheArgs {
    pub(crate) fn check(&self) -> Result<(), UsageError> {
        if self.memory.get() == 0 && self.ssd.get() == 0 {
            return Err(UsageError("there is no cache: give --memory, --ssd or both a size above 0".to_owned()));
        }
        if let Some(share) = self.substitute.filter(|share| !(*share > 0.0 && *share <= MOST_SUBSTITUTED)) {
            return Err(UsageError(format!(
                "--substitute {share}: give the part of the samples that is of low importance, above 0 and at most \
                 {MOST_SUBSTITUTED}"
            )));
        }
        Ok(())
    }

    pub(crate) fn sizes(&self) -> TierSizes {
        TierSizes { memory: self.memory.get(), ssd: self.ssd.get() }
    }
}
