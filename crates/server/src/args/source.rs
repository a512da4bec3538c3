//! How datasets are read, whatever they are called: settings that hold for all of them.

use std::path::PathBuf;

use clap::Args;
use headwater_cli::exit::UsageError;
use headwater_cli::values::some_bytes;
use headwater_store::{DatasetSource, Endpoint, Files, PageMemory, Partition, S3Options, StoreOptions};
use headwater_types::ByteCount;

use super::aside::by_default;

/// How every dataset is read.
#[derive(Args, Clone, Debug)]
pub(crate) struct SourceArgs {
    /// Take every file for a photo, whatever its name, and tell by its content; without this, files without the suffix
    /// of a photo are left out
    #[arg(long, help_heading = "Dataset")]
    all_files: bool,
    /// Follow symbolic links of datasets that lead into this folder; repeat it for several. Without this, links out of
    /// a dataset and links to folders are left out
    #[arg(long, value_name = "DIR", help_heading = "Dataset")]
    follow_links: Vec<PathBuf>,
    /// Leave out folders and files that cannot be read, which otherwise are an error at start
    #[arg(long, help_heading = "Dataset")]
    skip_unreadable: bool,
    /// Memory for pages of Parquet files, which hold several photos each, for all datasets together; it comes on top of
    /// --memory [default: 256MiB; in a container with little memory an eighth of its limit]
    #[arg(long, value_name = "SIZE", value_parser = some_bytes, help_heading = "Limits")]
    page_memory: Option<ByteCount>,
    /// Address of an S3-compatible store, over AWS_ENDPOINT_URL
    #[arg(long, value_name = "URL", help_heading = "Dataset")]
    s3_endpoint: Option<Endpoint>,
    /// Allow plain HTTP to an S3-compatible store that is not on this machine
    #[arg(long, help_heading = "Dataset")]
    s3_allow_http: bool,
}

// === impl SourceArgs ===

impl SourceArgs {
    /// Settings of buckets, where none of the datasets is one, which `local` says; and of folders in the same way.
    pub(crate) fn conflicts(&self, local: &str, sources: &[&DatasetSource]) -> Vec<UsageError> {
        let of_buckets = [("--s3-endpoint", self.s3_endpoint.is_some()), ("--s3-allow-http", self.s3_allow_http)];
        let is_local = !sources.is_empty() && sources.iter().all(|source| source.location.is_local());
        let given = of_buckets.into_iter().filter(|(_, given)| *given && is_local);
        let given = given.map(|(flag, _)| UsageError(format!("{flag} is of a bucket, and {local}: leave it out")));
        given.chain(self.no_links(sources)).collect()
    }

    /// The memory of pages, which all datasets share.
    pub(crate) fn page_memory(&self) -> PageMemory {
        PageMemory::new(self.page_memory.unwrap_or_else(|| by_default(PageMemory::DEFAULT)))
    }

    /// The folders into which links are followed.
    pub(crate) fn follow_links(&self) -> &[PathBuf] {
        &self.follow_links
    }

    /// Links that are to be followed where no dataset has any.
    fn no_links(&self, sources: &[&DatasetSource]) -> Option<UsageError> {
        let has_links = sources.is_empty() || sources.iter().any(|source| source.location.is_local());
        let is_wrong = !has_links && !self.follow_links.is_empty();
        is_wrong
            .then(|| UsageError("--follow-links is of folders, and no dataset is on this machine: leave it out".into()))
    }

    /// How the store of a dataset is opened.
    pub(crate) fn store_options(
        &self,
        source: &DatasetSource,
        max_object: ByteCount,
        page_memory: &PageMemory,
    ) -> StoreOptions {
        let s3 = S3Options { endpoint: self.s3_endpoint.clone(), allow_http: self.s3_allow_http };
        let files = if self.all_files { Files::All } else { Files::Photos };
        StoreOptions {
            partition: source.partition.unwrap_or(Partition::ALL),
            max_object,
            files,
            dataset: source.options.clone(),
            follow: self.follow_links.clone(),
            skip_unreadable: self.skip_unreadable,
            page_memory: page_memory.clone(),
            s3,
            ..StoreOptions::default()
        }
    }
}
