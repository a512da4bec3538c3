//! The arguments of `tuner extract`.

use std::num::NonZeroU64;
use std::path::PathBuf;

use clap::Args;
use headwater_cli::FailureArgs;
use headwater_cli::exit::UsageError;
use headwater_extraction::ServedModel;

use super::servers::ServersArgs;

/// Write features and labels of a dataset to a folder of Parquet files
///
/// The folder is read as one table by pandas, pyarrow, DuckDB and others: key (text), label (text, null where there is
/// none), feature (fixed-size list of float32). Ctrl-C, SIGTERM and a closed terminal keep what has come; started
/// again, it fetches only what is missing. Samples that could not be read are listed in DIR/_failures.jsonl.
#[derive(Clone, Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct ExtractArgs {
    #[command(flatten)]
    pub(crate) servers: ServersArgs,

    /// Folder that takes the Parquet files; made where there is none
    #[arg(long, help_heading = "Output", value_name = "DIR", env = "HEADWATER_EXTRACT_OUT")]
    pub(crate) out: PathBuf,

    /// Drop the features that the folder holds, and begin anew
    #[arg(long, help_heading = "Output")]
    pub(crate) overwrite: bool,

    /// Try again every sample that failed before, not only those whose server or store could not be read just then
    #[arg(long, help_heading = "Output")]
    pub(crate) retry_failed: bool,

    /// Write features that are not finite (NaN or an infinity) too, where without this their samples fail; with
    /// --retry-failed also those of samples that failed so before
    #[arg(long, help_heading = "Output")]
    pub(crate) allow_non_finite: bool,

    /// Samples in one Parquet file; about two files for each server are held in memory, each taking ROWS x feature
    /// length x 4 bytes, and are lost when the tuner is killed with SIGKILL
    #[arg(long, help_heading = "Output", value_name = "ROWS", default_value = "4096")]
    pub(crate) part_rows: NonZeroU64,

    #[command(flatten, next_help_heading = "Output")]
    pub(crate) failures: FailureArgs,
}

const HELP: &str = "\
Examples:
  tuner extract --servers 10.0.0.5:7440,10.0.0.6:7440 --dataset photos \\
      --model mobilenet --out features
  python3 -c 'import pandas; print(pandas.read_parquet(\"features\"))'
  tuner extract --servers 10.0.0.5:7440,10.0.0.6:7440 --dataset photos \\
      --model mobilenet --out features \\
      --plan auto --extractor mobilenet.onnx";

// === impl ExtractArgs ===

impl ExtractArgs {
    /// What clap cannot see, since values may come from a file or a variable.
    pub(crate) fn check(&self) -> Result<(), UsageError> {
        if self.overwrite && self.retry_failed {
            let words = "--overwrite begins anew, so that --retry-failed has nothing to try again: give one";
            return Err(UsageError(words.to_owned()));
        }
        self.servers.connection.plan.check(false)
    }

    /// The dataset and the model that features are extracted with.
    ///
    /// # Errors
    /// A file of certificates or a token that cannot be used.
    pub(crate) fn served_model(&self) -> anyhow::Result<ServedModel> {
        self.servers.served_model(self.allow_non_finite)
    }
}
