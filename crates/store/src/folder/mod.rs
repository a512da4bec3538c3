//! A dataset in a folder.
//!
//! Invariant: every path is resolved by the kernel below the root's own handle (`openat2` with `RESOLVE_BENEATH`, or
//! `cap-std`'s walk of single steps where the kernel has none). A check of names beforehand would lose the race against a
//! link that is put in place between check and open; this has no such moment. It refuses absolute link targets even where
//! they point back into the root: a root that is mounted elsewhere tomorrow then behaves as today.

mod look;
mod queue;
mod read;
mod walk;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use bytes::Bytes;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, Metadata, MetadataExt};
use headwater_types::digest::Digester;
use headwater_types::{Digest, FailureKind, SampleFailure, SampleKey};
use rustix::io::Errno;

use crate::catalog::Catalog;
use crate::error::StoreError;
use crate::options::StoreOptions;
use crate::store::{Store, finished};
use crate::version::Version;

/// A folder whose first-level folders are the classes.
pub(crate) struct Folder {
    /// For messages only: no file is opened through it.
    path: PathBuf,
    root: Arc<Dir>,
    place: Digest,
    options: StoreOptions,
}

// === impl Folder ===

impl Folder {
    pub(crate) async fn open(path: &Path, options: &StoreOptions) -> Result<Self, StoreError> {
        let owned = path.to_owned();
        let open = move || Ok((Dir::open_ambient_dir(&owned, ambient_authority())?, owned.canonicalize()?));
        let (root, canonical) = blocking(open).await?.map_err(|source: io::Error| {
            let path = path.to_owned();
            match source.kind() {
                io::ErrorKind::NotFound => StoreError::NoSuchFolder { path },
                io::ErrorKind::NotADirectory => StoreError::NotAFolder { path },
                _ => StoreError::Folder { path, source },
            }
        })?;
        let place = Digester::default().field(b"folder").field(canonical.as_os_str().as_encoded_bytes()).finish();
        Ok(Self { path: path.to_owned(), root: Arc::new(root), place, options: options.clone() })
    }
}

#[async_trait]
impl Store for Folder {
    async fn list(&self) -> Result<Catalog, StoreError> {
        let began = Instant::now();
        let (root, path) = (Arc::clone(&self.root), self.path.clone());
        let options = self.options.clone();
        let catalog = blocking(move || walk::list(&root, &path, &options)).await??;
        finished(&self.path.to_string_lossy(), catalog, &self.options, began.elapsed())
    }

    fn place(&self) -> Digest {
        self.place
    }

    async fn read(&self, key: &SampleKey, version: Version) -> Result<Bytes, SampleFailure> {
        let (root, key, max_object) = (Arc::clone(&self.root), key.clone(), self.options.max_object);
        tokio::task::spawn_blocking(move || read::read(&root, &key, version, max_object))
            .await
            .unwrap_or_else(|error| Err(SampleFailure::new(FailureKind::Unavailable, format!("not read: {error}"))))
    }

    fn check(&self, key: &SampleKey, version: Version) -> Result<(), SampleFailure> {
        look::check(&self.root, key, version)
    }

    fn check_now(&self, key: &SampleKey, version: Version) -> bool {
        look::check_now(&self.root, key, version)
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| StoreError::Interrupted { reason: error.to_string() })
}

fn version_of(metadata: &Metadata) -> Version {
    Version::of_file(metadata.len(), metadata.mtime(), metadata.mtime_nsec())
}

/// What an error of the system means for one name below the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// Nothing is there.
    Absent,
    /// The way there leads out of the root.
    Escape,
    /// Links that lead to each other, or into a process (`/proc`).
    Loop,
    /// A socket or an absent device.
    Special,
    /// This user may not.
    Permission,
    /// This process has no more files or memory: nothing that the dataset could be blamed for.
    Exhausted,
    /// Anything else: the disk, the network.
    Other,
}

// === impl Refusal ===

impl Refusal {
    fn of(error: &io::Error) -> Self {
        match (Errno::from_io_error(error), error.kind()) {
            // `cap-std` makes this error itself, so that it has no number.
            (None, io::ErrorKind::PermissionDenied) => Self::Escape,
            (Some(Errno::LOOP), _) => Self::Loop,
            (Some(Errno::NXIO | Errno::NODEV), _) => Self::Special,
            (Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM), _) => Self::Exhausted,
            (_, io::ErrorKind::PermissionDenied) => Self::Permission,
            (_, io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Self::Absent,
            _ => Self::Other,
        }
    }
}
