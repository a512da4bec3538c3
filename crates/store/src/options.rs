//! How a dataset is opened.

use std::path::PathBuf;
use std::sync::Arc;

use headwater_types::{ByteCount, Partition, caps};

use crate::endpoint::Endpoint;
use crate::fetched::Fetched;
use crate::files::Files;
use crate::found::Found;
use crate::kept::Kept;
use crate::labels::SheetSlot;
use crate::parquet::PageMemory;
use crate::spec::DatasetOptions;

/// The options of every kind of dataset, and of each kind.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// The part of the dataset that is listed. Setting: `--partition`.
    pub partition: Partition,
    /// The largest sample that is read; a larger one fails unread. Setting: `--max-object-bytes`.
    pub max_object: ByteCount,
    /// The files that are samples. Setting: `--all-files`.
    pub files: Files,
    /// Folders of this machine into which symbolic links of the dataset are followed. Setting: `--follow-links`.
    pub follow: Vec<PathBuf>,
    /// Whether folders and files that cannot be read are left out, and not an error. Setting: `--skip-unreadable`.
    pub skip_unreadable: bool,
    /// How the dataset is read, as its own text says.
    pub dataset: DatasetOptions,
    /// The names of all classes in their order, where they are pinned. Setting: `classes=`.
    pub classes: Option<Arc<[String]>>,
    /// What is made once of the dataset and kept for the next start.
    pub kept: Kept,
    /// The memory of unpacked pages of Parquet files, which all datasets of a server share. Setting: `--page-memory`.
    pub page_memory: PageMemory,
    /// Counts the samples that a listing finds, while it runs.
    pub found: Found,
    /// Counts what is read of the dataset's files or objects.
    pub fetched: Fetched,
    /// The labels file while a listing runs.
    pub sheet: SheetSlot,
    /// The options of `s3://` datasets.
    pub s3: S3Options,
}

/// What the `AWS_*` variables do not say of an S3-compatible store, or should not.
///
/// Credentials, region, session token and the rest come from the environment, as the AWS tools read it.
#[derive(Clone, Debug, Default)]
pub struct S3Options {
    /// The address of an S3-compatible store, such as `http://127.0.0.1:9000`. Goes before `AWS_ENDPOINT_URL_S3` and
    /// `AWS_ENDPOINT_URL`. Setting: `--s3-endpoint`.
    pub endpoint: Option<Endpoint>,
    /// Whether an endpoint that is not this machine may be spoken to without TLS. `AWS_ALLOW_HTTP=true` allows it too.
    /// Setting: `--s3-allow-http`.
    pub allow_http: bool,
}

// === impl StoreOptions ===

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            partition: Partition::ALL,
            max_object: caps::MAX_OBJECT,
            files: Files::default(),
            follow: Vec::new(),
            skip_unreadable: false,
            dataset: DatasetOptions::default(),
            classes: None,
            kept: Kept::nowhere(),
            page_memory: PageMemory::default(),
            found: Found::default(),
            fetched: Fetched::default(),
            sheet: SheetSlot::default(),
            s3: S3Options::default(),
        }
    }
}
