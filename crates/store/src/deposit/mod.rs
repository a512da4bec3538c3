//! Photos put into a dataset, where whoever runs the server allows it: the one module of the crate that writes.
//!
//! ```text
//! bytes ─stage─▶ a file that no listing sees ─publish─▶ the photo under its key      a folder
//! bytes ───────────────────────────────────────put────▶ the photo under its key      a bucket
//! ```
//!
//! Invariants: a photo stands under its key whole and durable, or not at all; nothing that is there is ever replaced or
//! removed, whoever put it there; nothing is written outside the dataset's root.

mod folder;
mod in_hand;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use headwater_types::write_fault::InWords;
use headwater_types::{ByteCount, FailureKind, SampleFailure, SampleKey};

use self::folder::{Incoming, StagedFile};
pub use self::in_hand::InHand;
use crate::blocking::blocking;
use crate::error::StoreError;
use crate::extent::Extent;
use crate::kind::Kind;
use crate::location::Location;
use crate::options::StoreOptions;
use crate::s3::{Bucket, Settings};
use crate::site::Site;
use crate::store::Store;
use crate::version::Version;

/// A dataset that takes photos.
#[derive(Clone)]
pub struct Deposit(Place);

#[derive(Clone)]
enum Place {
    Folder(Arc<Incoming>),
    Bucket(Arc<Bucket>),
}

/// A photo on its way in, which no listing sees. It is gone with this.
pub struct Staged {
    bytes: Bytes,
    file: Option<Arc<StagedFile>>,
}

/// What came of publishing a photo.
pub enum Published {
    /// It stands under its key, as this version.
    New(Version),
    /// Something else stands there, and stays. The photo may be published under another key.
    Taken(Staged),
}

/// Why a photo could not be put into its dataset.
#[derive(Debug, thiserror::Error)]
pub enum DepositError {
    /// The folder could not be written.
    #[error("the dataset's folder: {}", InWords(.0))]
    Folder(#[from] std::io::Error),
    /// The store did not take it, or did not say whether it did.
    #[error("{0}")]
    Bucket(String),
    /// What stands under a key could not be looked at.
    #[error("{}", .0.message)]
    Unread(SampleFailure),
    /// The work was broken off.
    #[error(transparent)]
    Interrupted(#[from] StoreError),
}

// === impl Deposit ===

impl Deposit {
    /// Opens the dataset at this place to put photos into it. What earlier starts left half written is removed.
    ///
    /// # Errors
    /// A folder that cannot be opened, settings of S3 that do not fit together, and a kind of dataset whose photos are
    /// no files of their own.
    pub async fn open(location: &Location, options: &StoreOptions) -> Result<Self, StoreError> {
        let unfit = || StoreError::NoDeposit { location: location.to_string(), kind: location.kind().to_string() };
        if location.kind() != Kind::Folder {
            return Err(unfit());
        }
        match location.pattern() {
            Site::Local(path) => {
                let path = path.clone();
                let open = move || Incoming::open(&path).map_err(|source| StoreError::Folder { path, source });
                Ok(Self(Place::Folder(Arc::new(blocking(open).await??))))
            }
            Site::S3 { bucket, prefix } => {
                let bucket = Bucket::open(bucket, prefix, options, &Settings::from_environment()?)?;
                Ok(Self(Place::Bucket(Arc::new(bucket))))
            }
        }
    }

    /// The version that a photo of so many bytes will have if it comes at this moment, where that is known before it is
    /// there: in a folder, as far as its file system keeps moments so exactly.
    pub fn foretold(&self, length: ByteCount, at: SystemTime) -> Option<Version> {
        let at = since_1970(at);
        match &self.0 {
            Place::Folder(_) => {
                Some(Version::of_file(length.get(), at.as_secs().cast_signed(), at.subsec_nanos().into()))
            }
            Place::Bucket(_) => None,
        }
    }

    /// Takes a photo in that comes at this moment, where no listing sees it. It is durable, where it has a file.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub async fn stage(&self, bytes: Bytes, at: SystemTime) -> Result<Staged, DepositError> {
        let file = match &self.0 {
            Place::Folder(incoming) => {
                let (incoming, bytes) = (Arc::clone(incoming), bytes.clone());
                let stage = move || {
                    let staged = incoming.stage(&bytes, since_1970(at))?;
                    staged.settle()?;
                    Ok::<_, std::io::Error>(staged)
                };
                Some(Arc::new(blocking(stage).await??))
            }
            Place::Bucket(_) => None,
        };
        Ok(Staged { bytes, file })
    }

    /// Puts a photo that was staged under a key, durably, unless something stands there.
    ///
    /// # Errors
    /// A folder that cannot be written, a store that does not take it.
    pub async fn publish(&self, staged: Staged, key: &SampleKey) -> Result<Published, DepositError> {
        let Staged { bytes, file } = staged;
        match (&self.0, file) {
            (Place::Folder(incoming), Some(file)) => {
                let (incoming, staged, key) = (Arc::clone(incoming), Arc::clone(&file), key.clone());
                let is_new = blocking(move || incoming.publish(&staged, &key)).await??;
                Ok(match is_new {
                    true => Published::New(file.version()),
                    false => Published::Taken(Staged { bytes, file: Some(file) }),
                })
            }
            (Place::Bucket(bucket), _) => Ok(match bucket.put(key, &bytes).await.map_err(DepositError::Bucket)? {
                Some(version) => Published::New(version),
                None => Published::Taken(Staged { bytes, file: None }),
            }),
            (Place::Folder(_), None) => Err(DepositError::Bucket("a photo that was staged elsewhere".to_owned())),
        }
    }

    /// The version of what stands under a key; `None` where nothing does.
    ///
    /// # Errors
    /// What cannot be looked at.
    pub async fn find(&self, key: &SampleKey) -> Result<Option<Version>, DepositError> {
        match &self.0 {
            Place::Folder(incoming) => {
                let (incoming, key) = (Arc::clone(incoming), key.clone());
                Ok(blocking(move || incoming.find(&key)).await??)
            }
            Place::Bucket(bucket) => bucket.find(key).await.map_err(DepositError::Bucket),
        }
    }

    /// Whether what stands under a key, as this version, has these bytes.
    ///
    /// # Errors
    /// What cannot be read. What is gone or another by now has not.
    pub async fn holds(
        &self,
        store: &Arc<dyn Store>,
        (key, version): (&SampleKey, Version),
        bytes: &Bytes,
    ) -> Result<bool, DepositError> {
        if version.size().get() != bytes.len() as u64 {
            return Ok(false);
        }
        match store.read(&Extent::whole(key.clone(), version)).await {
            Ok(there) => Ok(there == *bytes),
            Err(failure) if matches!(failure.kind, FailureKind::NotFound | FailureKind::Changed) => Ok(false),
            Err(failure) => Err(DepositError::Unread(failure)),
        }
    }

    /// What the folder's file system has free for this user; `None` where it does not say, and of a bucket.
    pub fn free(&self) -> Option<ByteCount> {
        match &self.0 {
            Place::Folder(incoming) => incoming.free(),
            Place::Bucket(_) => None,
        }
    }
}

/// A moment, as files have it. One before 1970 is taken for that year's first: it is a clock that is not set.
fn since_1970(at: SystemTime) -> Duration {
    at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
