//! The seam: what every kind of dataset can do.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use headwater_types::{Digest, Format, SampleFailure, SampleKey, shown};
use tracing::{info, warn};

use crate::catalog::{Catalog, LeftOut, Skip, Skipped, by_suffix};
use crate::error::StoreError;
use crate::folder::Folder;
use crate::location::Location;
use crate::options::StoreOptions;
use crate::s3::{Bucket, Settings};
use crate::version::Version;
use crate::waiting::Waiting;

/// A dataset at rest. It is only ever read.
#[async_trait]
pub trait Store: Send + Sync {
    /// Lists every sample of the partition. The catalog is a picture of one moment: listing again may give another.
    ///
    /// # Errors
    /// What keeps the whole dataset from being listed; parts of it that cannot be read, unless those are to be skipped; no photo at
    /// all. A single object that cannot be a sample is only counted.
    async fn list(&self) -> Result<Catalog, StoreError>;

    /// Where the dataset rests, as a digest: the same for everybody who opens the same folder or bucket, by whatever path
    /// and for whichever partition. With a key and a version it names one content.
    fn place(&self) -> Digest;

    /// Reads a sample whole, if it still is of the version that was listed.
    ///
    /// # Errors
    /// `Changed` if it is of another version, `NotFound` if it is gone, `Forbidden` if the key now leads out of the root,
    /// `LimitExceeded` before a byte is read or memory taken if it is larger than `max_object`, `Unreadable` if the store gives others and
    /// not this one, otherwise `Io`.
    async fn read(&self, key: &SampleKey, version: Version) -> Result<Bytes, SampleFailure>;

    /// Reads that have been underway for longer than they should be, for those who wait for their samples; `None` where there are none,
    /// and of a store that has no such.
    fn waiting(&self) -> Option<Waiting> {
        None
    }

    /// Looks whether a sample still is of the version that was listed, for who has what was made of it and reads nothing. May wait for a
    /// disk, but never asks over a network that is paid by the request: what comes of an object that was deleted or replaced in a
    /// bucket since it was listed is told when it is read.
    ///
    /// # Errors
    /// As for [`Self::read`].
    fn check(&self, key: &SampleKey, version: Version) -> Result<(), SampleFailure>;

    /// The same without waiting: `false` says nothing, ask [`Self::check`].
    fn check_now(&self, key: &SampleKey, version: Version) -> bool;
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
            Ok(Arc::new(Bucket::open(bucket, prefix, options, &Settings::from_environment()?)?))
        }
    }
}

/// What came of a listing: checked, and told in the log.
///
/// # Errors
/// Parts that could not be read, and no samples at all.
pub(crate) fn finished(
    location: &str,
    catalog: Catalog,
    options: &StoreOptions,
    took: Duration,
) -> Result<Catalog, StoreError> {
    let skipped = catalog.skipped();
    info!(
        location,
        samples = catalog.len(),
        classes = catalog.classes().len(),
        bytes = catalog.bytes_total().get(),
        memory = catalog.memory().get(),
        digest = catalog.digest().short(),
        skipped = %skipped,
        seconds = took.as_secs_f64(),
        "dataset listed"
    );
    let unreadable = skipped.count(Skip::Unreadable);
    if unreadable > 0 && !options.skip_unreadable {
        let first = skipped.first_and_more(Skip::Unreadable);
        return Err(StoreError::Unreadable { location: location.to_owned(), count: unreadable, first });
    }
    if catalog.is_empty() && skipped.count(Skip::OtherPartition) == 0 {
        return Err(StoreError::NoPhotos { location: location.to_owned(), found: nothing_but(skipped) });
    }
    for LeftOut { reason, count, warning, first, suffixes, .. } in skipped.left_out(catalog.listing().samples) {
        let suffixes = (!suffixes.is_empty()).then_some(suffixes);
        warn!(location, reason = reason.as_str(), count, suffixes, first, "{warning}");
    }
    if catalog.is_empty() {
        warn!(location, partition = %options.partition, "no sample of the dataset is in this partition");
    }
    Ok(catalog)
}

/// What is in a dataset without a sample.
fn nothing_but(skipped: &Skipped) -> String {
    if skipped.iter().next().is_none() {
        return "nothing is there: is it the right place, and mounted?".to_owned();
    }
    let each = skipped.iter().map(|(reason, count)| {
        let suffixes = by_suffix(skipped, reason);
        let suffixes = if suffixes.is_empty() { suffixes } else { format!(": {suffixes}") };
        format!("{count} left out as {}{suffixes} ({})", reason.as_str(), skipped.first_and_more(reason))
    });
    let each = each.collect::<Vec<_>>().join("; ");
    let photos = shown::listed(Format::suffixes().map(|suffix| format!(".{suffix}")), "or");
    format!("{each}. Photos are files named {photos}; --all-files takes every file")
}
