//! A photo on its way in: from the index where it stands there, from the store where not; always with its memory.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use headwater_image::{Header, IndexedJpeg, Payload, Scratch, read_header};
use headwater_store::{Extent, Store};
use headwater_types::recipe::Orientation;
use headwater_types::{ByteCount, FailureKind, SampleFailure, SampleIndex, SampleKey, Size};

use crate::account::{Account, Waits};
use crate::budget::Permit;
use crate::failure::{lost, missing, pool_failure};
use crate::index::{Lookup, PhotoIndex};
use crate::sample::Pipeline;
use crate::times::StageTimes;

/// Largest object whose header is read on the async thread: finding the scans of a progressive JPEG passes over all its
/// bytes, at several GB/s.
const INLINE_HEADER: usize = 512 * 1024;

/// A sample's bytes, with their memory.
pub(crate) struct Fetched {
    pub(crate) bytes: Bytes,
    pub(crate) permit: Permit,
}

/// A photo that is to be decoded, with its memory.
pub(crate) struct Photo {
    pub(crate) payload: Payload,
    /// Bytes read from the store.
    pub(crate) stored: ByteCount,
    pub(crate) _permit: Permit,
}

/// What is known of a photo before it is decoded.
pub(crate) struct Measure {
    /// Size once decoded.
    pub(crate) size: Size,
    /// Memory that decoding takes.
    pub(crate) memory: ByteCount,
}

// === impl Pipeline ===

impl Pipeline {
    /// A photo to decode: indexed where it is, because then only its crop is decoded, and as it is stored where not. It is
    /// not indexed for this: a re-write costs as much as several decodes, and nobody has asked for a crop of bytes.
    pub(crate) async fn photo(
        &self,
        index: SampleIndex,
        key: &SampleKey,
        account: &Account,
        times: &mut StageTimes,
    ) -> Result<Photo, SampleFailure> {
        if let Some(photos) = self.index.as_ref().filter(|photos| !photos.is_empty()) {
            let extent = self.extent(index)?;
            let permit = self.hold(IndexedJpeg::most_bytes(extent.length()), account, times).await?;
            let (photos, store, key) = (Arc::clone(photos), Arc::clone(&self.store), key.clone());
            let started = Instant::now();
            let look = move || find_listed(&*store, &photos, &key, &extent);
            let lookup = tokio::task::spawn_blocking(look).await;
            times.fetch += started.elapsed();
            if let Lookup::Found(photo) = lookup.map_err(|error| lost(&error))?? {
                return Ok(Photo { payload: Payload::Indexed(photo), stored: ByteCount::default(), _permit: permit });
            }
        }
        let Fetched { bytes, permit } = self.fetch(index, account, times).await?;
        Ok(Photo { stored: bytes.len().into(), payload: Payload::Encoded(bytes), _permit: permit })
    }

    /// A photo as it is stored.
    pub(crate) async fn fetch(
        &self,
        index: SampleIndex,
        account: &Account,
        times: &mut StageTimes,
    ) -> Result<Fetched, SampleFailure> {
        let extent = self.extent(index)?;
        let permit = self.hold(extent.length(), account, times).await?;
        let started = Instant::now();
        let waiting = account.begin(Waits::Store);
        let bytes = self.store.read(&extent).await?;
        drop(waiting);
        times.fetch += started.elapsed();
        Ok(Fetched { bytes, permit })
    }

    /// What decoding it will take.
    pub(crate) async fn measure(&self, photo: &Payload, orientation: Orientation) -> Result<Measure, SampleFailure> {
        match photo {
            Payload::Indexed(photo) => Ok(Measure { size: photo.size(orientation), memory: photo.memory() }),
            Payload::Encoded(bytes) => {
                let header = self.header(bytes, orientation).await?;
                Ok(Measure { size: header.size, memory: header.memory })
            }
            _ => Err(missing("photo")),
        }
    }

    pub(crate) async fn header(&self, encoded: &Bytes, orientation: Orientation) -> Result<Header, SampleFailure> {
        let limits = self.limits;
        if encoded.len() <= INLINE_HEADER {
            return Ok(read_header(encoded, orientation, &limits)?);
        }
        let encoded = encoded.clone();
        let read = move |_: &mut Scratch| read_header(&encoded, orientation, &limits);
        Ok(self.pool.run(read).await.map_err(|error| pool_failure(&error))??)
    }

    /// Memory for encoded bytes.
    async fn hold(&self, bytes: ByteCount, account: &Account, times: &mut StageTimes) -> Result<Permit, SampleFailure> {
        let started = Instant::now();
        let permit = self.encoded_memory.acquire(account, bytes).await?;
        times.queue += started.elapsed();
        Ok(permit)
    }

    /// Memory for decoding, and for what comes of it.
    pub(crate) async fn grant(
        &self,
        memory: ByteCount,
        account: &Account,
        times: &mut StageTimes,
    ) -> Result<Permit, SampleFailure> {
        let started = Instant::now();
        let permit = self.decoded_memory.acquire(account, memory).await?;
        times.queue += started.elapsed();
        Ok(permit)
    }

    fn extent(&self, index: SampleIndex) -> Result<Extent, SampleFailure> {
        let extent = self.catalog.extent(index).ok_or_else(|| missing("catalog entry"))?;
        let limit = self.limits.max_object;
        if extent.length() > limit {
            let message = format!("{} is larger than {limit}, see --max-object-bytes", extent.length());
            return Err(SampleFailure::new(FailureKind::LimitExceeded, message));
        }
        Ok(extent)
    }
}

/// What the index knows of a photo that still is what was listed: what was made of one that is gone is not served in its stead. Waits for
/// disks.
pub(crate) fn find_listed(
    store: &dyn Store,
    index: &PhotoIndex,
    key: &SampleKey,
    extent: &Extent,
) -> Result<Lookup, SampleFailure> {
    match index.find(key, extent.version()) {
        Lookup::Found(photo) => store.check(extent).map(|()| Lookup::Found(photo)),
        other => Ok(other),
    }
}
