//! From a location to the store that reads it: the one list of the kinds of store.

use std::sync::Arc;

use crate::error::StoreError;
use crate::folder::Folder;
use crate::location::Location;
use crate::options::StoreOptions;
use crate::s3::{Bucket, Settings};
use crate::store::Store;

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
