//! The arguments of `tuner ingest`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use headwater_cli::FailureArgs;
use headwater_cli::exit::UsageError;
use headwater_client::ingest_calls::{WantedLabels, check_name};
use headwater_types::{DatasetName, ModelName};

use super::reach::PartsArgs;
use super::relabel::top_k;

/// Put photos into a dataset of servers that were started for it (storage-server serve --ingest)
///
/// Each photo is looked into, stored whole under its class and its own name, and labelled; the dataset's next
/// generation has it, seconds later. A photo whose bytes the dataset has already is not stored again, so that this may
/// be run again after whatever happened. Of several servers a photo goes to one that its bytes decide.
#[derive(Clone, Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct IngestArgs {
    #[command(flatten)]
    pub(crate) parts: PartsArgs,

    /// The dataset's name
    #[arg(long, value_name = "NAME", help_heading = "Servers")]
    pub(crate) dataset: DatasetName,

    /// The class of these photos, which is the folder that they are put into; without it they have none
    #[arg(long, value_name = "LABEL", help_heading = "Photos")]
    pub(crate) label: Option<String>,

    /// Let --label begin a class that the dataset does not have; classes behind it in their order get other numbers
    #[arg(long, requires = "label", help_heading = "Photos")]
    pub(crate) new_class: bool,

    /// Wait for what the servers' models say of each photo, and show it
    #[arg(long, help_heading = "Labels")]
    pub(crate) wait: bool,

    /// With --wait, the model or head that labels; without it those that have labelled the dataset, or the only one
    #[arg(long, value_name = "NAME", help_heading = "Labels")]
    pub(crate) model: Option<ModelName>,

    /// With --wait, classes that are shown of each photo, the best first
    #[arg(long, value_name = "K", default_value = "5", value_parser = top_k, help_heading = "Labels")]
    pub(crate) top_k: u32,

    /// Photos that are sent at a time
    #[arg(long, value_name = "N", default_value = "16", help_heading = "Photos")]
    pub(crate) in_flight: NonZeroUsize,

    #[command(flatten, next_help_heading = "Photos")]
    pub(crate) failures: FailureArgs,

    /// The photos' files; - for a list of files from standard input, one on each line
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
}

const HELP: &str = "\
Examples:
  tuner ingest --servers node1:7440,node2:7440 --dataset photos \\
      --label Banana new/*.jpg
  find new -name '*.jpg' | tuner ingest --servers node1:7440 \\
      --dataset photos --wait --json -";

// === impl IngestArgs ===

impl IngestArgs {
    /// What clap cannot see.
    pub(crate) fn check(&self) -> Result<(), UsageError> {
        if let Some(label) = &self.label {
            check_name("--label", label).map_err(|error| UsageError(error.to_string()))?;
        }
        match self.model.is_some() && !self.wait {
            true => Err(UsageError("--model says who labels with --wait: add --wait, or leave --model out".into())),
            false => Ok(()),
        }
    }

    /// Which labels are waited for.
    pub(crate) fn wanted(&self) -> Option<WantedLabels> {
        self.wait.then(|| WantedLabels { model: self.model.clone(), top_k: self.top_k })
    }
}
