//! How datasets are read, whatever they are called: settings that hold for all of them.

use clap::Args;
use headwater_cli::exit::UsageError;
use headwater_store::{DatasetSource, Endpoint, Files, Found, Partition, S3Options, StoreOptions};
use headwater_types::ByteCount;

/// How every dataset is read.
#[derive(Args, Clone, Debug)]
pub(crate) struct SourceArgs {
    /// Take every file for a photo, whatever its name, and tell by its content; without this, files named .jpg, .jpeg,
    /// .png or .webp are taken and the others are left out
    #[arg(long, help_heading = "Dataset")]
    all_files: bool,
    /// Leave out folders and files that cannot be read, which otherwise are an error at start
    #[arg(long, help_heading = "Dataset")]
    skip_unreadable: bool,
    /// Address of an S3-compatible store, over AWS_ENDPOINT_URL
    #[arg(long, value_name = "URL", help_heading = "Dataset")]
    s3_endpoint: Option<Endpoint>,
    /// Allow plain HTTP to an S3-compatible store that is not on this machine
    #[arg(long, help_heading = "Dataset")]
    s3_allow_http: bool,
}

// === impl SourceArgs ===

impl SourceArgs {
    /// Settings of buckets, where none of the datasets is one. `local` says that.
    pub(crate) fn conflicts(&self, local: &str, sources: &[&DatasetSource]) -> Vec<UsageError> {
        let of_buckets = [("--s3-endpoint", self.s3_endpoint.is_some()), ("--s3-allow-http", self.s3_allow_http)];
        let is_local = !sources.is_empty() && sources.iter().all(|source| source.location.is_local());
        let given = of_buckets.into_iter().filter(|(_, given)| *given && is_local);
        given.map(|(flag, _)| UsageError(format!("{flag} is of a bucket, and {local}: leave it out"))).collect()
    }

    /// How the store of a dataset is opened.
    pub(crate) fn store_options(&self, source: &DatasetSource, max_object: ByteCount) -> StoreOptions {
        let s3 = S3Options { endpoint: self.s3_endpoint.clone(), allow_http: self.s3_allow_http };
        let files = if self.all_files { Files::All } else { Files::Photos };
        StoreOptions {
            partition: source.partition.unwrap_or(Partition::ALL),
            max_object,
            files,
            dataset: source.options.clone(),
            skip_unreadable: self.skip_unreadable,
            found: Found::default(),
            s3,
        }
    }
}
