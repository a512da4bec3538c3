//! The seam: what every kind of dataset can do.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use headwater_types::{Digest, SampleFailure, SampleKey};
use tracing::{info, warn};

use crate::catalog::{Catalog, Skip};
use crate::error::StoreError;
use crate::folder::Folder;
use crate::location::Location;
use crate::options::StoreOptions;
use crate::s3::{self, Bucket};
use crate::version::Version;

/// A dataset at rest. It is only ever read.
#[async_trait]
pub trait Store: Send + Sync {
    /// Lists every sample of the partition. The catalog is a picture of one moment: listing again may give another.
    ///
    /// # Errors
    /// What keeps the whole dataset from being listed. A single object that cannot be a sample is only counted.
    async fn list(&self) -> Result<Catalog, StoreError>;

    /// Where the dataset rests, as a digest: the same for everybody who opens the same folder or bucket, by whatever path
    /// and for whichever partition. With a key and a version it names one content.
    fn place(&self) -> Digest;

    /// Reads a sample whole, if it still is of the version that was listed.
    ///
    /// # Errors
    /// `Changed` if it is of another version, `NotFound` if it is gone, `Forbidden` if the key now leads out of the root,
    /// `LimitExceeded` before a byte is read or memory taken if it is larger than `max_object`, otherwise `Io`.
    async fn read(&self, key: &SampleKey, version: Version) -> Result<Bytes, SampleFailure>;
}

/// Opens the dataset at this place.
///
/// # Errors
/// A folder that is not there or cannot be opened; settings for S3 that do not fit together. That a bucket can be
/// reached is known only once it is listed.
pub async fn open(location: &Location, options: &StoreOptions) -> Result<Arc<dyn Store>, StoreError> {
    match location {
        Location::Folder(path) => Ok(Arc::new(Folder::open(path, options).await?)),
        Location::S3 { bucket, prefix } => {
            Ok(Arc::new(Bucket::open(bucket, prefix, options, s3::settings_from_environment())?))
        }
    }
}

/// Tells of a finished listing in the log.
pub(crate) fn report(location: &str, catalog: &Catalog, seconds: f64) {
    info!(
        location,
        samples = catalog.len(),
        classes = catalog.classes().len(),
        bytes = catalog.bytes_total().get(),
        memory = catalog.memory().get(),
        digest = catalog.digest().short(),
        skipped = %catalog.skipped(),
        seconds,
        "dataset listed"
    );
    let unreadable = catalog.skipped().count(Skip::Unreadable);
    if unreadable > 0 {
        warn!(location, unreadable, "folders or files may not be read by this user and are left out");
    }
    if catalog.is_empty() {
        warn!(location, "the dataset is empty");
    }
}
