//! A dataset in a folder: each photo a file, and the first-level folders the classes.

mod level;
mod links;
mod look;
mod queue;
mod read;
mod refusal;
mod walk;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use bytes::Bytes;
use headwater_types::digest::Digester;
use headwater_types::{Digest, FailureKind, SampleFailure};

use crate::blocking::blocking;
use crate::catalog::{Catalog, CatalogBuilder};
use crate::error::StoreError;
use crate::extent::Extent;
use crate::listed::listed;
use crate::local::Root;
use crate::options::StoreOptions;
use crate::store::Store;

pub(crate) use level::level;

/// A folder whose first-level folders are the classes.
pub(crate) struct Folder {
    /// For messages only: no file is opened through it.
    path: PathBuf,
    root: Arc<Root>,
    place: Digest,
    options: StoreOptions,
}

// === impl Folder ===

impl Folder {
    pub(crate) async fn open(path: &Path, options: &StoreOptions) -> Result<Self, StoreError> {
        let owned = path.to_owned();
        let (mut root, canonical) = blocking(move || Root::open(&owned)).await?.map_err(|source: io::Error| {
            let path = path.to_owned();
            match source.kind() {
                io::ErrorKind::NotFound => StoreError::NoSuchFolder { path },
                io::ErrorKind::NotADirectory => StoreError::NotAFolder { path },
                _ => StoreError::Folder { path, source },
            }
        })?;
        for folder in &options.follow {
            let refused = |source| StoreError::Follow { path: folder.clone(), source };
            root.follow(folder).map_err(refused)?;
        }
        let place = Digester::default().field(b"folder").field(canonical.as_os_str().as_encoded_bytes()).finish();
        Ok(Self { path: path.to_owned(), root: Arc::new(root), place, options: options.clone() })
    }
}

#[async_trait]
impl Store for Folder {
    async fn list(&self, base: Option<&Catalog>) -> Result<Catalog, StoreError> {
        let began = Instant::now();
        let (root, path) = (Arc::clone(&self.root), self.path.clone());
        let found = CatalogBuilder::of(&self.options, base);
        let catalog = blocking(move || walk::list(&root, &path, found)).await??;
        listed(&self.path.to_string_lossy(), catalog, &self.options, began.elapsed())
    }

    fn place(&self) -> Digest {
        self.place
    }

    fn source(&self) -> &'static str {
        "folder"
    }

    async fn read(&self, extent: &Extent) -> Result<Bytes, SampleFailure> {
        let (root, extent) = (Arc::clone(&self.root), extent.clone());
        let (max_object, fetched) = (self.options.max_object, self.options.fetched.clone());
        tokio::task::spawn_blocking(move || read::read(&root, &extent, max_object, &fetched))
            .await
            .unwrap_or_else(|error| Err(SampleFailure::new(FailureKind::Unavailable, format!("not read: {error}"))))
    }

    fn check(&self, extent: &Extent) -> Result<(), SampleFailure> {
        look::check(&self.root, extent)
    }

    fn check_now(&self, extent: &Extent) -> bool {
        look::check_now(&self.root, extent)
    }
}

#[cfg(test)]
mod tests;
