//! The photo index: photos that were re-written to be cropped without decoding, kept in the server's cache.
//!
//! The index only ever saves time: whatever is wrong with the cache, its photos are then simply not there. Invariant:
//! what is found was made from this version of this sample. Every call but [`PhotoIndex::glimpse`] may wait for the
//! disk and does not belong on an async thread.

mod buffers;
mod lookup;
mod refusals;
mod tally;

use std::sync::Arc;
use std::time::Duration;

use headwater_cache::{Entry, EntryKey, GlimpseBuffer, Kept as KeptIn, KindName, NotKept, Rejected, Tier, Worth};
use headwater_image::{IndexedHead, IndexedJpeg, JpegCrop, Unindexable};
use headwater_store::Extent;
use headwater_types::recipe::Stages;
use headwater_types::{ByteCount, Draws, Framing, SampleKey};

use crate::cached::DatasetCache;
use buffers::{Buffers, Lent};
use refusals::Refusals;
use tally::Tally;

pub use lookup::{Kept, Lookup};
pub use tally::IndexCounts;

/// Re-written photos of one dataset.
#[derive(Debug)]
pub struct PhotoIndex {
    cache: Arc<DatasetCache>,
    tally: Tally,
    refusals: Refusals,
    buffers: Buffers,
}

// === impl PhotoIndex ===

impl PhotoIndex {
    /// The re-written photos of a dataset, which lie in its cache; `None` where none are kept there.
    pub fn new(cache: &Arc<DatasetCache>) -> Option<Self> {
        let (tally, refusals, buffers) = Default::default();
        cache.may_have(KindName::Indexed).then(|| Self { cache: Arc::clone(cache), tally, refusals, buffers })
    }

    /// What the index knows of this version of a sample.
    pub fn find(&self, key: &SampleKey, extent: &Extent) -> Lookup {
        let Some((entry, _)) = self.cache.cache().get(&self.entry(key, extent)) else {
            self.tally.missed();
            return Lookup::Absent;
        };
        self.tally.hit();
        match entry {
            // An entry that does not open, or whose reason this program does not know, is made again.
            Entry::Bytes(bytes) => IndexedJpeg::open(bytes, &self.cache.limits).map_or(Lookup::Absent, Lookup::Found),
            Entry::Refused(reason) => match Unindexable::ALL.into_iter().find(|r| r.as_str().as_bytes() == reason) {
                Some(reason) => {
                    self.tally.count(reason);
                    Lookup::Unindexable(reason)
                }
                None => Lookup::Absent,
            },
        }
    }

    /// A sample's crop, where its photo is here and in the system's memory. Of a large photo only the part that the
    /// crop needs is read. `None` says nothing about the photo: ask [`Self::find`]. Does not wait for a disk.
    pub fn glimpse(
        &self,
        key: &SampleKey,
        extent: &Extent,
        stages: &Stages,
        draws: &Draws<'_>,
        buffer: &mut GlimpseBuffer,
    ) -> Option<JpegCrop> {
        let mut glimpse = self.cache.cache().glimpse(&self.entry(key, extent), buffer)?;
        let photo = IndexedHead::open(glimpse.start(), glimpse.length(), &self.cache.limits).ok()?;
        let framing = Framing::new(stages, photo.size(stages.orientation), draws);
        let needs = photo.needs(glimpse.start(), stages, &framing).ok()?;
        let (start, needed) = glimpse.with(needs)?;
        let crop = photo.slice(start, needed, stages, &framing).ok()?;
        self.tally.hit();
        Some(crop)
    }

    fn entry(&self, key: &SampleKey, extent: &Extent) -> EntryKey {
        self.cache.names.indexed(key, extent)
    }

    /// Memory for glimpses. It was used before where possible: filling fresh pages takes as long as a third of a
    /// glimpse.
    pub(crate) fn lend(&self) -> Lent<'_> {
        self.buffers.lend()
    }

    /// Notes that a photo of so many stored bytes was re-written in this time, and says how many seconds bringing it
    /// back takes.
    pub fn made(&self, stored: usize, took: Duration, photo: Option<&IndexedJpeg>) -> f64 {
        let (stored, costs) = (stored as u64, &self.cache.costs);
        if let Some(photo) = photo {
            costs.made(KindName::Indexed, stored, took, photo.bytes().len());
        }
        took.as_secs_f64() + costs.origin(stored).unwrap_or_default()
    }

    /// Remembers what came of re-writing this version of a sample.
    pub fn keep(
        &self,
        key: &SampleKey,
        extent: &Extent,
        made: Result<&IndexedJpeg, Unindexable>,
        worth: Worth,
    ) -> Kept {
        let entry = match made {
            Ok(photo) => Entry::Bytes(photo.bytes().clone()),
            Err(reason) => {
                self.tally.count(reason);
                if !is_remembered(reason) {
                    return Kept::Done;
                }
                Entry::Refused(reason.as_str().as_bytes().into())
            }
        };
        match self.cache.cache().put(&self.entry(key, extent), &entry, &worth) {
            KeptIn::Not(why) => {
                let why = not_kept(why);
                self.refusals.add(why);
                self.tally.not_kept(why);
                Kept::Not(why)
            }
            KeptIn::In(_) => {
                self.refusals.end();
                self.tally.kept();
                Kept::Done
            }
        }
    }

    /// Checks that a photo of this size would be kept now. Where it would not, re-writing it for the index would be in
    /// vain, and it counts as not kept.
    ///
    /// # Errors
    /// Why the photo would not be kept.
    pub fn room(&self, size: ByteCount) -> Result<(), NotKept> {
        let room = self.refusals.spares().map_or_else(|| self.cache.cache().room(size), Err);
        room.inspect_err(|why| self.tally.not_kept(*why))
    }

    /// Whether no photo is kept.
    pub fn is_empty(&self) -> bool {
        let cache = self.cache.cache();
        Tier::BOTH.into_iter().all(|tier| cache.usage(tier, KindName::Indexed).entries == 0)
    }

    /// The cache in which the photos lie.
    pub fn cache(&self) -> &Arc<DatasetCache> {
        &self.cache
    }

    /// What was found, missed and kept since it was opened.
    pub fn counts(&self) -> IndexCounts {
        self.tally.read()
    }

    /// Times that a photo turned out, or was known, to have no indexed form, by reason.
    pub fn unindexable(&self) -> impl Iterator<Item = (Unindexable, u64)> + '_ {
        self.tally.unindexable()
    }
}

/// Why a photo is not in the index: the cache's limit, where it is larger or worth less than what is there.
fn not_kept(why: Rejected) -> NotKept {
    match why {
        Rejected::TooLarge | Rejected::WorthLess => NotKept::Limit,
        Rejected::NotKept(why) => why,
    }
}

/// Whether the index remembers that a photo has no indexed form for this reason. It does not where the photo's first
/// bytes say the reason again, because an entry costs a block on disk, nor where the reason comes of a setting, which
/// may be another next time.
fn is_remembered(reason: Unindexable) -> bool {
    !matches!(reason, Unindexable::NotJpeg | Unindexable::OverLimit | Unindexable::Memory)
}

#[cfg(test)]
mod tests;
