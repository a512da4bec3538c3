//! The seam: what every kind of store can do. The suite `conformance` holds each kind to it.

use async_trait::async_trait;
use bytes::Bytes;
use headwater_types::{ByteCount, Digest, SampleFailure};

use crate::catalog::Catalog;
use crate::error::StoreError;
use crate::extent::Extent;
use crate::waiting::Waiting;

/// A dataset at rest. It is only ever read.
#[async_trait]
pub trait Store: Send + Sync {
    /// Lists every sample of the partition. The catalog is a picture of one moment: listing again may give another.
    ///
    /// # Errors
    /// What keeps the whole dataset from being listed; parts of it that cannot be read, unless those are to be skipped;
    /// no photo at all. A single object that cannot be a sample is only counted.
    ///
    /// With a catalog of an earlier listing as `base`, what is the same takes no further memory while the listing runs,
    /// and a listing without differences shares the base's memory.
    async fn list(&self, base: Option<&Catalog>) -> Result<Catalog, StoreError>;

    /// Where the dataset rests, as a digest: the same for everybody who opens the same folder or bucket, by whatever
    /// path and for whichever partition. Place, key and version together name one content.
    fn place(&self) -> Digest;

    /// What keeps the photos, as clients are told: the name of a kind, or `s3` for objects that are photos.
    fn source(&self) -> &'static str;

    /// The exact number of bytes that [`Self::read`] gives of this extent. Callers take memory for so many beforehand:
    /// what is listed of a row of a table is only about right.
    ///
    /// # Errors
    /// Those of [`Self::read`], where the object has to be looked at.
    async fn length(&self, extent: &Extent) -> Result<ByteCount, SampleFailure> {
        Ok(extent.length())
    }

    /// Reads a part of an object, if the object still is of the version that was listed. A sample that is an object of
    /// its own is the range of all its bytes.
    ///
    /// # Errors
    /// `Changed` if the object is of another version, `NotFound` if it is gone, `Forbidden` if its name now leads out
    /// of the root, `LimitExceeded` before a byte is read or memory taken if the part is larger than `max_object`,
    /// `Unreadable` if the store gives others and not this one, otherwise `Io`.
    async fn read(&self, extent: &Extent) -> Result<Bytes, SampleFailure>;

    /// Looks whether an object still is of the version that was listed, for callers that hold what was made of a sample
    /// and read nothing. It may wait for a disk, but never asks over a network that is paid by the request: that an
    /// object of a bucket was deleted or replaced since it was listed is found out when it is read.
    ///
    /// # Errors
    /// The errors of [`Self::read`] that a look can find.
    fn check(&self, extent: &Extent) -> Result<(), SampleFailure>;

    /// Looks the same up without waiting for anything. `true` says what `Ok` of [`Self::check`] does, and `false` says
    /// nothing.
    fn check_now(&self, extent: &Extent) -> bool;

    /// Reads that have been underway for longer than they should be; `None` where there are none, and of a store that
    /// does not count them.
    fn waiting(&self) -> Option<Waiting> {
        None
    }
}
