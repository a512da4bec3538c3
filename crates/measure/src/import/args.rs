//! The arguments of `profiler import`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  profiler import sophon --sizes prep_sizes.csv --times prep_times.csv \\
      --out openimages.parquet
  profiler plan --profile openimages.parquet --bandwidth 430Mbps \\
      --storage-cores 5 --algorithm sophon --out plan.txt

Both files may be separated by ';' or ','. Sizes are taken as they are:
SOPHON's count 33 bytes beside each payload but the stored photo's.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ImportArgs {
    #[command(subcommand)]
    pub(crate) source: ImportSource,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ImportSource {
    /// SOPHON's prep_sizes.csv and prep_times.csv
    Sophon(SophonArgs),
}

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SophonArgs {
    /// Bytes by stage: prep_sizes.csv
    #[arg(long, value_name = "FILE")]
    pub(crate) sizes: PathBuf,

    /// Seconds by stage: prep_times.csv
    #[arg(long, value_name = "FILE")]
    pub(crate) times: PathBuf,

    /// The profile to write (Parquet); a file of this name is replaced
    #[arg(long, env = "HEADWATER_IMPORT_OUT", value_name = "FILE")]
    pub(crate) out: PathBuf,
}
