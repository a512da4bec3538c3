//! The shards of a dataset: the larger files or objects in which its photos lie, and the store that reads them.
//!
//! A kind whose photos are parts of larger files is a store around a store: it asks here which shards there are, makes
//! a catalog of what is in them, and reads through [`Shards::store`].

mod names;
mod shelf;

mod bucket;
mod folder;

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::blocking::blocking;
use crate::error::StoreError;
use crate::folder::Folder;
use crate::labels::SheetSlot;
use crate::local::Root;
use crate::location::Location;
use crate::options::StoreOptions;
use crate::s3::{Bucket, Settings};
use crate::site::Site;
use crate::spec::DatasetOptions;
use crate::store::Store;
use headwater_types::ByteCount;

use self::names::Names;

pub(crate) use self::shelf::Shelf;

/// Where the shards of a dataset lie.
pub(crate) struct Shards {
    /// The dataset's place as the user wrote it.
    location: String,
    names: Names,
    place: Place,
    store: Arc<dyn Store>,
}

enum Place {
    /// A folder of this machine, below which all names lie.
    Folder(Arc<Root>),
    Bucket(Arc<Bucket>),
}

// === impl Shards ===

impl Shards {
    /// Opens the places of a dataset. Nothing is sent to a bucket yet.
    ///
    /// # Errors
    /// A place of this machine that is not there; places in several buckets; settings of S3 that do not fit together.
    pub(crate) async fn open(location: &Location, options: &StoreOptions) -> Result<Self, StoreError> {
        Self::open_with(location, options, Settings::from_environment).await
    }

    /// As [`Self::open`], with these settings for a bucket.
    pub(crate) async fn open_with(
        location: &Location,
        options: &StoreOptions,
        settings: impl FnOnce() -> Result<Settings, StoreError>,
    ) -> Result<Self, StoreError> {
        let text = location.to_string();
        // A shard may be of any size, is read in pieces, and has no label.
        let (dataset, sheet) = (DatasetOptions::default(), SheetSlot::default());
        let inner = StoreOptions { max_object: ByteCount::new(u64::MAX), dataset, sheet, ..options.clone() };
        let (names, place, store): (_, _, Arc<dyn Store>) = match location.pattern() {
            Site::Local(_) => {
                let (root, names) =
                    names::local(location.local()).map_err(|(path, source)| StoreError::Folder { path, source })?;
                let folder = Folder::open(&root, &inner).await?;
                let held = Root::open(&root).map_err(|source| StoreError::Folder { path: root, source })?.0;
                (names, Place::Folder(Arc::new(held)), Arc::new(folder))
            }
            Site::S3 { .. } => {
                let (bucket, prefix, names) = names::in_bucket(location.sites()).ok_or_else(|| {
                    let reason = "the shards of a dataset lie in one bucket: serve each bucket by itself".to_owned();
                    StoreError::S3 { location: text.clone(), reason }
                })?;
                let bucket = Arc::new(Bucket::open(&bucket, &prefix, &inner, &settings()?)?);
                (names, Place::Bucket(Arc::clone(&bucket)), bucket)
            }
        };
        Ok(Self { location: text, names, place, store })
    }

    /// Looks which shards there are: files that `is_shard` takes by their names below the root, and those that were
    /// named one by one whatever their names are.
    ///
    /// # Errors
    /// A name that is not there; a place that cannot be listed.
    pub(crate) async fn list(&self, is_shard: fn(&str) -> bool) -> Result<Shelf, StoreError> {
        let mut shelf = match &self.place {
            Place::Folder(root) => {
                let (root, names) = (Arc::clone(root), self.names.clone());
                let listed = blocking(move || folder::list(&root, &names, is_shard)).await?;
                listed.map_err(|error: io::Error| self.error(&error))?
            }
            Place::Bucket(bucket) => bucket::list(bucket, &self.names, is_shard).await?,
        };
        for extents in [&mut shelf.shards, &mut shelf.others] {
            extents.sort_unstable_by(|a, b| a.object().cmp(b.object()));
        }
        let missing = self.names.missing(&shelf.shards);
        if !missing.is_empty() {
            let first = missing.iter().take(5).copied().collect::<Vec<_>>().join(", ");
            return Err(StoreError::NoSuchShards { location: self.location.clone(), count: missing.len(), first });
        }
        Ok(shelf)
    }

    /// What reads ranges of the shards, and of the files beside them.
    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The folder below which the shards lie, where that is one of this machine.
    pub(crate) fn root(&self) -> Option<&Arc<Root>> {
        match &self.place {
            Place::Folder(root) => Some(root),
            Place::Bucket(_) => None,
        }
    }

    /// The dataset's place as the user wrote it.
    pub(crate) fn location(&self) -> &str {
        &self.location
    }

    fn error(&self, error: &io::Error) -> StoreError {
        StoreError::Folder { path: Path::new(&self.location).to_owned(), source: io::Error::other(error.to_string()) }
    }
}
