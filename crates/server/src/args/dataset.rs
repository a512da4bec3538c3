//! Settings of the dataset of an indexing run.

use clap::Args;
use headwater_cli::exit::UsageError;
use headwater_store::{DatasetSource, Partition};

use super::source::SourceArgs;

/// A dataset, or a part of one.
#[derive(Args, Clone, Debug)]
pub(crate) struct DatasetArgs {
    /// The dataset: a folder (class folders give labels) or s3://bucket/prefix (standard AWS_* variables); or shards,
    /// as in shard-{000..099}.tar, tar:DIR or parquet:s3://bucket/prefix; then, parted by commas, options such as
    /// labels=FILE
    #[arg(long, value_name = "DIR|s3://…|KIND:PLACE", help_heading = "Dataset")]
    pub(crate) data: DatasetSource,
    /// Take only the K-th of N parts of the dataset, so that N servers can share one folder or bucket
    #[arg(long, value_name = "K/N", default_value = "1/1", help_heading = "Dataset")]
    pub(crate) partition: Partition,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
}

// === impl DatasetArgs ===

impl DatasetArgs {
    /// Settings that do not go together.
    pub(crate) fn conflicts(&self) -> Vec<UsageError> {
        let twice = self.partition != Partition::ALL && self.data.partition.is_some();
        let twice =
            twice.then(|| UsageError("--partition is given, and --data has partition=: leave one out".to_owned()));
        self.source.conflicts("--data is on this machine", &[&self.data]).into_iter().chain(twice).collect()
    }

    /// The dataset with the part that is taken.
    pub(crate) fn source(&self) -> DatasetSource {
        let partition = self.data.partition.or(Some(self.partition));
        DatasetSource { partition, ..self.data.clone() }
    }
}
