//! A photo on its way in: from the index where it is there, from the store otherwise; always with its memory.

use std::sync::Arc;

use bytes::Bytes;
use headwater_image::{Header, IndexedJpeg, Payload, Scratch, read_header};
use headwater_store::{Extent, Store};
use headwater_types::recipe::Orientation;
use headwater_types::{ByteCount, FailureKind, SampleFailure, SampleKey, Size};

use crate::account::Waits;
use crate::budget::Permit;
use crate::cached::Asked;
use crate::failure::lost;
use crate::index::{Lookup, PhotoIndex};
use crate::pipeline::Pipeline;
use crate::resources::Job;
use crate::times::Stage;
use crate::underway::Underway;

/// Largest object whose header is read on the async thread, in bytes: finding the scans of a progressive JPEG passes
/// over all its bytes, at several GB/s.
const INLINE_HEADER: usize = 512 * 1024;

/// A sample's bytes as they are stored, with their memory.
pub(crate) struct Fetched {
    pub(crate) bytes: Bytes,
    pub(crate) permit: Permit,
    /// Whether the store was read for them.
    pub(crate) from_origin: bool,
}

/// A photo that is to be decoded, with its memory.
pub(crate) struct Photo {
    pub(crate) incoming: Incoming,
    pub(crate) _permit: Permit,
}

/// A photo in the form in which it comes in.
pub(crate) enum Incoming {
    /// As it is stored.
    Stored(Bytes),
    /// As it was re-written for the index.
    Indexed(IndexedJpeg),
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
    /// A photo to decode: the indexed form where there is one, because then only its crop is decoded, and the stored
    /// form otherwise. The photo is not indexed for this: a re-write costs as much as several decodes, and nobody has
    /// asked for a crop of bytes. `keep` says whether the stored bytes are worth keeping.
    pub(crate) async fn photo(&self, sample: &mut Underway, keep: bool, job: &Job) -> Result<Photo, SampleFailure> {
        if let Some(index) = self.index.as_ref().filter(|index| !index.is_empty()) {
            let most = IndexedJpeg::most_bytes(self.length(sample).await?);
            let permit = sample.times.during(Stage::Queue, job.encoded(most)).await?;
            let (index, store) = (Arc::clone(index), Arc::clone(&self.store));
            let (key, extent) = (sample.key.clone(), sample.extent.clone());
            let look = tokio::task::spawn_blocking(move || find_listed(&*store, &index, &key, &extent));
            let lookup = sample.times.during(Stage::Fetch, look).await.map_err(|error| lost(&error))??;
            if let Lookup::Found(photo) = lookup {
                return Ok(Photo { incoming: Incoming::Indexed(photo), _permit: permit });
            }
        }
        let Fetched { bytes, permit, .. } = self.fetch(sample, keep, job).await?;
        Ok(Photo { incoming: Incoming::Stored(bytes), _permit: permit })
    }

    /// A photo as it is stored. `keep` says whether its bytes are worth keeping.
    pub(crate) async fn fetch(&self, sample: &mut Underway, keep: bool, job: &Job) -> Result<Fetched, SampleFailure> {
        let length = self.length(sample).await?;
        let permit = sample.times.during(Stage::Queue, job.encoded(length)).await?;
        let waiting = job.account().begin(Waits::Store);
        let asked = Asked { index: sample.index, key: &sample.key, extent: &sample.extent, keep };
        let (bytes, from_origin) = sample.times.during(Stage::Fetch, self.bytes(asked)).await?;
        drop(waiting);
        if from_origin {
            sample.stored = bytes.len().into();
        }
        Ok(Fetched { bytes, permit, from_origin })
    }

    /// What decoding a photo will take.
    pub(crate) async fn measure(
        &self,
        photo: &Incoming,
        orientation: Orientation,
        job: &Job,
    ) -> Result<Measure, SampleFailure> {
        Ok(match photo {
            Incoming::Indexed(photo) => Measure { size: photo.size(orientation), memory: photo.memory() },
            Incoming::Stored(bytes) => {
                let Header { size, memory, .. } = self.header(bytes, orientation, job).await?;
                Measure { size, memory }
            }
        })
    }

    /// The header of a photo as it is stored.
    pub(crate) async fn header(
        &self,
        encoded: &Bytes,
        orientation: Orientation,
        job: &Job,
    ) -> Result<Header, SampleFailure> {
        let limits = self.limits;
        if encoded.len() <= INLINE_HEADER {
            return Ok(read_header(encoded, orientation, &limits)?);
        }
        let encoded = encoded.clone();
        let read = move |_: &mut Scratch| read_header(&encoded, orientation, &limits);
        Ok(job.compute(read).await?.value?)
    }

    /// The size of a sample as it is stored, before a byte of it is read or memory taken.
    pub(crate) async fn length(&self, sample: &mut Underway) -> Result<ByteCount, SampleFailure> {
        let length = sample.times.during(Stage::Fetch, self.store.length(&sample.extent)).await?;
        let limit = self.limits.max_object;
        if length > limit {
            let message = format!("{length} is larger than {limit}, see --max-object-bytes");
            return Err(SampleFailure::new(FailureKind::LimitExceeded, message));
        }
        Ok(length)
    }
}

// === impl Incoming ===

impl From<Incoming> for Payload {
    fn from(photo: Incoming) -> Self {
        match photo {
            Incoming::Stored(bytes) => Self::Encoded(bytes),
            Incoming::Indexed(photo) => Self::Indexed(photo),
        }
    }
}

/// What the index knows of a photo that still is what was listed: what was made of a photo that is gone is not served
/// in its stead. Waits for disks.
pub(crate) fn find_listed(
    store: &dyn Store,
    index: &PhotoIndex,
    key: &SampleKey,
    extent: &Extent,
) -> Result<Lookup, SampleFailure> {
    match index.find(key, extent) {
        Lookup::Found(photo) => store.check(extent).map(|()| Lookup::Found(photo)),
        other => Ok(other),
    }
}
