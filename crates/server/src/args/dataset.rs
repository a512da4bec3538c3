//! Settings of the dataset, which serving and indexing share.

use clap::Args;
use headwater_cli::exit::UsageError;
use headwater_store::{DatasetSource, Endpoint, Files, Found, Partition, S3Options, StoreOptions};
use headwater_types::ByteCount;

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
    /// Take every file for a photo, whatever its name, and tell by its content; without this, files named .jpg, .jpeg,
    /// .png or .webp are taken and the others are left out
    #[arg(long, help_heading = "Dataset")]
    pub(crate) all_files: bool,
    /// Leave out folders and files that cannot be read, which otherwise are an error at start
    #[arg(long, help_heading = "Dataset")]
    pub(crate) skip_unreadable: bool,
    /// Address of an S3-compatible store, over AWS_ENDPOINT_URL
    #[arg(long, value_name = "URL", help_heading = "Dataset")]
    pub(crate) s3_endpoint: Option<Endpoint>,
    /// Allow plain HTTP to an S3-compatible store that is not on this machine
    #[arg(long, help_heading = "Dataset")]
    pub(crate) s3_allow_http: bool,
}

// === impl DatasetArgs ===

impl DatasetArgs {
    /// Settings that do not go together.
    pub(crate) fn conflicts(&self) -> Vec<UsageError> {
        let of_buckets = [("--s3-endpoint", self.s3_endpoint.is_some()), ("--s3-allow-http", self.s3_allow_http)];
        let is_local = self.data.location.is_local();
        let twice = self.partition != Partition::ALL && self.data.partition.is_some();
        let given = of_buckets.into_iter().filter(|(_, given)| *given && is_local);
        given
            .map(|(flag, _)| UsageError(format!("{flag} is of a bucket, and --data is on this machine: leave it out")))
            .chain(
                twice.then(|| UsageError("--partition is given, and --data has partition=: leave one out".to_owned())),
            )
            .collect()
    }

    /// The part of the dataset that is taken.
    pub(crate) fn part(&self) -> Partition {
        self.data.partition.unwrap_or(self.partition)
    }

    /// How the store is opened.
    pub(crate) fn store_options(&self, max_object: ByteCount) -> StoreOptions {
        let s3 = S3Options { endpoint: self.s3_endpoint.clone(), allow_http: self.s3_allow_http };
        let files = if self.all_files { Files::All } else { Files::Photos };
        StoreOptions {
            partition: self.part(),
            max_object,
            files,
            dataset: self.data.options.clone(),
            skip_unreadable: self.skip_unreadable,
            found: Found::default(),
            s3,
        }
    }
}
