//! From a location to the store that reads it: the one list of the kinds of store.

use std::sync::Arc;

use crate::arrays::Arrays;
use crate::detect::detect;
use crate::error::StoreError;
use crate::folder::Folder;
use crate::kind::Kind;
use crate::labelled::{self, Labelled};
use crate::location::Location;
use crate::options::StoreOptions;
use crate::parquet::Parquet;
use crate::s3::{Bucket, Settings};
use crate::site::Site;
use crate::store::Store;
use crate::tar::Tar;

/// Opens the dataset at this place.
///
/// # Errors
/// A folder that is not there or cannot be opened; settings for S3 that do not fit together; options that are not of
/// this kind of dataset. A place that does not say its kind is looked at, which asks a bucket for a page or a few.
pub async fn open(location: &Location, options: &StoreOptions) -> Result<Arc<dyn Store>, StoreError> {
    let location = detect(location, options).await?;
    let refuse = |source| StoreError::Option { location: location.to_string(), source };
    options.dataset.check(location.kind()).map_err(refuse)?;
    let options = labelled::prepared(options).await?;
    let Some(file) = options.dataset.labels.clone() else { return of_kind(&location, &options).await };
    let store = of_kind(&location, &labelled::inner(&options)).await?;
    Ok(Arc::new(Labelled::new(store, file, &options)))
}

/// Opens a dataset whose kind is sure.
async fn of_kind(location: &Location, options: &StoreOptions) -> Result<Arc<dyn Store>, StoreError> {
    match location.kind() {
        Kind::Folder => site(location.pattern(), options).await,
        Kind::Tar => Ok(Arc::new(Tar::open(location, options).await?)),
        Kind::Parquet => Ok(Arc::new(Parquet::open(location, options).await?)),
        Kind::Idx | Kind::Npy => Ok(Arc::new(Arrays::open(location, options).await?)),
    }
}

/// Opens the files below a folder, or the objects below a prefix, each as a sample of its own.
async fn site(site: &Site, options: &StoreOptions) -> Result<Arc<dyn Store>, StoreError> {
    match site {
        Site::Local(path) => Ok(Arc::new(Folder::open(path, options).await?)),
        Site::S3 { bucket, prefix } => {
            Ok(Arc::new(Bucket::open(bucket, prefix, options, &Settings::from_environment()?)?))
        }
    }
}
