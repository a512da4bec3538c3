//! One photo of an indexing run.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use headwater_cache::{NotKept, Worth};
use headwater_image::{IndexedJpeg, read_header};
use headwater_pipeline::{Job, Kept, Lookup, PhotoIndex};
use headwater_store::{Catalog, Extent, Store};
use headwater_types::recipe::Orientation;
use headwater_types::{ByteCount, FailureKind, ImageLimits, SampleFailure, SampleIndex, SampleKey};

use super::outcome::Outcome;

/// What all photos of a run share.
pub(super) struct Indexer {
    store: Arc<dyn Store>,
    pub(super) catalog: Arc<Catalog>,
    pub(super) index: Arc<PhotoIndex>,
    limits: ImageLimits,
    job: Job,
    /// The first fault of the index's disk: what is re-written after it would be thrown away.
    refused: OnceLock<NotKept>,
}

// === impl Indexer ===

impl Indexer {
    pub(super) fn new(
        store: Arc<dyn Store>,
        catalog: Arc<Catalog>,
        index: Arc<PhotoIndex>,
        limits: ImageLimits,
        job: Job,
    ) -> Self {
        Self { store, catalog, index, limits, job, refused: OnceLock::new() }
    }

    /// A photo's stored size, and what came of the photo.
    pub(super) async fn photo(self: Arc<Self>, at: SampleIndex) -> (ByteCount, Outcome) {
        let size = self.catalog.get(at).map(|entry| entry.version.size()).unwrap_or_default();
        let failed = |failure| Outcome::Failed { at, key: self.catalog.key(at), failure };
        (size, self.run(at).await.unwrap_or_else(failed))
    }

    async fn run(&self, at: SampleIndex) -> Result<Outcome, SampleFailure> {
        let (Some(key), Some(extent)) = (self.catalog.key(at), self.catalog.extent(at)) else {
            return Err(SampleFailure::new(FailureKind::OutOfRange, format!("no sample {at}")));
        };
        let length = self.store.length(&extent).await?;
        if let Some(known) = self.known(&key, &extent, length).await? {
            return Ok(known);
        }
        let limit = self.limits.max_object;
        if length > limit {
            let message = format!("{key} has {length}, more than {limit}: see --max-object-bytes");
            return Err(SampleFailure::new(FailureKind::LimitExceeded, message));
        }
        self.re_write(key, &extent, length).await
    }

    /// What is known of a photo without reading it; `None` where it is to be re-written.
    async fn known(
        &self,
        key: &SampleKey,
        extent: &Extent,
        before: ByteCount,
    ) -> Result<Option<Outcome>, SampleFailure> {
        let (index, key, extent) = (Arc::clone(&self.index), key.clone(), extent.clone());
        Ok(match self.compute(move || index.find(&key, &extent)).await? {
            Lookup::Found(photo) => Some(Outcome::AlreadyThere { before, after: photo.bytes().len().into() }),
            Lookup::Unindexable(reason) => Some(Outcome::FellBack(reason)),
            Lookup::Absent => match self.refused.get() {
                Some(why) => Some(Outcome::NotKept(*why)),
                None => self.index.room(before).err().map(|why| self.not_kept(why)),
            },
        })
    }

    async fn re_write(&self, key: SampleKey, extent: &Extent, before: ByteCount) -> Result<Outcome, SampleFailure> {
        let limits = self.limits;
        let _encoded = self.job.encoded(before).await?;
        let bytes = self.store.read(extent).await?;
        let header = {
            let bytes = bytes.clone();
            move || read_header(&bytes, Orientation::Exif, &limits)
        };
        // A photo without a readable header, or past the limits, takes no memory: re-writing it only names the reason.
        let memory = match self.compute(header).await? {
            Ok(header) => IndexedJpeg::rewrite_memory(&header, before),
            Err(_) => ByteCount::default(),
        };
        let _decoded = self.job.decoded(memory.min(limits.max_sample_memory)).await?;
        let (index, extent) = (Arc::clone(&self.index), extent.clone());
        let re_write = move || {
            let began = Instant::now();
            let made = IndexedJpeg::rewrite(&bytes, &limits);
            let seconds = index.made(bytes.len(), began.elapsed(), made.as_ref().ok());
            let worth = Worth::of_cost(seconds as f32);
            let kept = index.keep(&key, &extent, made.as_ref().map_err(|reason| *reason), worth);
            (made, kept)
        };
        Ok(match self.compute(re_write).await? {
            (Err(reason), _) => Outcome::FellBack(reason),
            (Ok(photo), Kept::Done) => Outcome::Rewritten { before, after: photo.bytes().len().into() },
            (Ok(_), Kept::Not(why)) => self.not_kept(why),
        })
    }

    fn not_kept(&self, why: NotKept) -> Outcome {
        if why.is_of_disk() {
            self.refused.get_or_init(|| why);
        }
        Outcome::NotKept(why)
    }

    async fn compute<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, SampleFailure> {
        Ok(self.job.compute(|_| work()).await?.value)
    }
}
