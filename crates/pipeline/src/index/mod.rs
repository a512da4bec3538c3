//! The photo index: photos that were re-written to be cropped without decoding, kept in a folder of the server's own.
//!
//! The index only ever saves time: whatever is wrong with the folder, its photos are then simply not there. Invariant:
//! what is found was made from this version of this sample. Every call but [`PhotoIndex::glimpse`] may wait for the
//! disk and does not belong on an async thread.

mod buffers;
mod lookup;
mod names;
mod tally;

use std::path::Path;
use std::sync::Arc;

use headwater_cache::{Directory, DirectoryCounts, DirectoryError, Entry, EntryKey, GlimpseBuffer, NotKept, Swept};
use headwater_image::{IndexedHead, IndexedJpeg, JpegCrop, Unindexable};
use headwater_store::{Apart, Catalog, Extent};
use headwater_types::recipe::Stages;
use headwater_types::{ByteCount, Digest, Draws, Framing, ImageLimits, SampleKey};

use buffers::{Buffers, Lent};
use names::Names;
use tally::Tally;

pub use lookup::{Kept, Lookup};

/// Re-written photos of one dataset.
#[derive(Debug)]
pub struct PhotoIndex {
    directory: Directory,
    names: Names,
    limits: ImageLimits,
    tally: Tally,
    buffers: Buffers,
}

// === impl PhotoIndex ===

impl PhotoIndex {
    /// Opens the folder, or makes it, for photos of the dataset at this place ([`headwater_store::Store::place`]).
    ///
    /// # Errors
    /// A folder that is something else, or cannot be used.
    pub fn open(
        folder: &Apart,
        limit: ByteCount,
        dataset: Digest,
        limits: ImageLimits,
    ) -> Result<Self, DirectoryError> {
        let directory = Directory::open(folder.path(), limit)?;
        let (names, tally, buffers) = (Names::new(dataset), Tally::default(), Buffers::default());
        Ok(Self { directory, names, limits, tally, buffers })
    }

    /// What the index knows of this version of a sample. Errors of the folder are logged and counted.
    pub fn find(&self, key: &SampleKey, extent: &Extent) -> Lookup {
        let entry = match self.directory.get(&self.entry(key, extent)) {
            Ok(Some(entry)) => entry,
            Ok(None) => return Lookup::Absent,
            Err(error) => {
                self.tally.failed(&error);
                return Lookup::Unreadable;
            }
        };
        match entry {
            // An entry that does not open, or whose reason this program does not know, is made again.
            Entry::Bytes(bytes) => IndexedJpeg::open(bytes, &self.limits).map_or(Lookup::Absent, Lookup::Found),
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
        let mut glimpse = self.directory.glimpse(&self.entry(key, extent), buffer)?;
        let photo = IndexedHead::open(glimpse.start(), glimpse.length(), &self.limits).ok()?;
        let framing = Framing::new(stages, photo.size(stages.orientation), draws);
        let needs = photo.needs(glimpse.start(), stages, &framing).ok()?;
        let (start, needed) = glimpse.with(needs)?;
        photo.slice(start, needed, stages, &framing).ok()
    }

    /// The name of what was made of a sample, with the most bytes that it may have. A row of a table is listed with an
    /// estimate of its size, so that the limit of all photos holds for it.
    fn entry(&self, key: &SampleKey, extent: &Extent) -> EntryKey {
        let stored = if extent.range().is_some() { extent.length() } else { self.limits.max_object };
        self.names.entry(key, extent.version(), stored)
    }

    /// Memory for glimpses. It was used before where possible: filling fresh pages takes as long as a third of a
    /// glimpse.
    pub(crate) fn lend(&self) -> Lent<'_> {
        self.buffers.lend()
    }

    /// Remembers what came of re-writing this version of a sample.
    pub fn keep(&self, key: &SampleKey, extent: &Extent, made: Result<&IndexedJpeg, Unindexable>) -> Kept {
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
        match self.directory.put(&self.entry(key, extent), &entry) {
            Ok(()) => Kept::Done,
            Err(error) => {
                tracing::debug!(%error, "photo index");
                Kept::Not(error.not_kept())
            }
        }
    }

    /// Checks that a photo of this size would be kept now. Where it would not, re-writing it for the index would be in
    /// vain, and it counts as not kept.
    ///
    /// # Errors
    /// Why the photo would not be kept.
    pub fn room(&self, size: ByteCount) -> Result<(), NotKept> {
        self.directory.room(size)
    }

    /// Bytes that the folder's file system has left; `None` where it does not say.
    pub fn free(&self) -> Option<ByteCount> {
        self.directory.free()
    }

    /// Whether no photo was ever kept.
    pub fn is_empty(&self) -> bool {
        self.directory.is_empty()
    }

    /// Whether the index knows what its folder takes. Where its ledger was lost it does not, and nothing is kept until
    /// the folder was [swept](Self::sweep).
    pub fn is_counted(&self) -> bool {
        self.directory.is_counted()
    }

    /// Removes what earlier processes left half-written, drops the entries of photos that these listings would have
    /// found and have not, or have found with another content, and counts the folder's bytes anew. That takes seconds
    /// for a million photos, while other work goes on. The latest listing comes first; what one of the others has found
    /// stays. Entries of which the latest cannot tell stay: see [`Living`](headwater_cache::Living).
    ///
    /// `go_on` is asked now and then, with the share that is done. `None` where it said no or the folder could not be
    /// read.
    pub fn sweep(&self, catalogs: &[Arc<Catalog>], go_on: impl Fn(f64) -> bool) -> Option<Swept> {
        const SHARDS: f64 = 256.0;
        let living = self.names.living(catalogs);
        let goes_on = |shard: usize| go_on(shard as f64 / SHARDS);
        let swept =
            self.directory.sweep(living.as_ref(), goes_on).inspect_err(|error| self.tally.failed(error)).ok()?;
        go_on(1.0).then_some(swept)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Bytes that the index takes on disk.
    pub fn usage(&self) -> ByteCount {
        self.directory.usage()
    }

    /// The most bytes that the index may take.
    pub fn limit(&self) -> ByteCount {
        self.directory.limit()
    }

    /// What was found, missed and kept since it was opened.
    pub fn counts(&self) -> DirectoryCounts {
        self.directory.counts()
    }

    /// Times that a photo turned out, or was known, to have no indexed form, by reason.
    pub fn unindexable(&self) -> impl Iterator<Item = (Unindexable, u64)> + '_ {
        self.tally.unindexable()
    }

    /// Times that the folder could not be read.
    pub fn errors(&self) -> u64 {
        self.tally.errors()
    }
}

/// Whether the index remembers that a photo has no indexed form for this reason. It does not where the photo's first
/// bytes say the reason again, because an entry costs a block on disk, nor where the reason comes of a setting, which
/// may be another next time.
fn is_remembered(reason: Unindexable) -> bool {
    !matches!(reason, Unindexable::NotJpeg | Unindexable::OverLimit | Unindexable::Memory)
}

#[cfg(test)]
mod tests {
    use headwater_store::Version;
    use headwater_types::WriteFault;
    use tempfile::TempDir;

    use super::*;

    fn open(folder: &TempDir, dataset: &[u8]) -> PhotoIndex {
        let (path, limit) = (folder.path().join("index"), ByteCount::mebibytes(1));
        let apart = Apart::from(&"s3://photos".parse().unwrap(), "--index-dir", path).unwrap();
        PhotoIndex::open(&apart, limit, Digest::of(dataset), ImageLimits::default()).unwrap()
    }

    fn key() -> SampleKey {
        "cat/1.jpg".parse().unwrap()
    }

    fn whole(stamp: i64) -> Extent {
        Extent::whole(key(), Version::of_file(10_000, stamp, 0))
    }

    fn photo() -> IndexedJpeg {
        let jpeg = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/image_decode/baseline.jpg"));
        IndexedJpeg::rewrite(&jpeg.unwrap(), &ImageLimits::default()).unwrap()
    }

    #[test]
    fn a_photo_is_found_under_its_version_and_in_its_dataset_only() {
        let folder = TempDir::new().unwrap();
        let index = open(&folder, b"here");
        assert_eq!((index.find(&key(), &whole(1)), index.is_empty()), (Lookup::Absent, true));
        assert_eq!(index.keep(&key(), &whole(1), Ok(&photo())), Kept::Done);
        assert_eq!(index.find(&key(), &whole(1)), Lookup::Found(photo()));
        assert_eq!(index.find(&key(), &whole(2)), Lookup::Absent);
        assert_eq!(open(&folder, b"there").find(&key(), &whole(1)), Lookup::Absent);
        assert!(!open(&folder, b"there").is_empty());
    }

    #[test]
    fn a_reason_is_remembered_unless_it_costs_nothing_to_see_or_hangs_on_a_setting() {
        let folder = TempDir::new().unwrap();
        let index = open(&folder, b"here");
        for (stamp, reason) in (0..).zip(Unindexable::ALL) {
            assert_eq!(index.keep(&key(), &whole(stamp), Err(reason)), Kept::Done);
            let forgotten = [Unindexable::NotJpeg, Unindexable::OverLimit, Unindexable::Memory].contains(&reason);
            let expected = if forgotten { Lookup::Absent } else { Lookup::Unindexable(reason) };
            assert_eq!(index.find(&key(), &whole(stamp)), expected, "{reason}");
            let counted = index.unindexable().find(|(each, _)| *each == reason).unwrap().1;
            assert_eq!(counted, if forgotten { 1 } else { 2 }, "{reason}");
        }
    }

    #[test]
    fn what_this_program_does_not_know_is_absent_and_made_again() {
        let folder = TempDir::new().unwrap();
        let index = open(&folder, b"here");
        let unknown = Entry::Refused(b"of-another-version".as_slice().into());
        for entry in [unknown, Entry::Bytes(b"no photo".as_slice().into())] {
            index.directory.put(&index.entry(&key(), &whole(1)), &entry).unwrap();
            assert_eq!(index.find(&key(), &whole(1)), Lookup::Absent);
        }
        assert_eq!(index.keep(&key(), &whole(1), Ok(&photo())), Kept::Done);
        assert_eq!(index.find(&key(), &whole(1)), Lookup::Found(photo()));
    }

    #[test]
    fn a_folder_that_fails_is_counted_and_nothing_is_made_for_it() {
        let folder = TempDir::new().unwrap();
        let index = open(&folder, b"here");
        // A file where the shard's folder should be.
        let shard = index.entry(&key(), &whole(1)).name().to_string()[..2].to_owned();
        std::fs::write(index.path().join(shard), b"in the way").unwrap();
        assert_eq!(index.find(&key(), &whole(1)), Lookup::Unreadable);
        let why = NotKept::Disk(WriteFault::Other);
        assert_eq!(index.keep(&key(), &whole(1), Ok(&photo())), Kept::Not(why));
        assert_eq!((index.errors(), index.counts().not_kept(why)), (1, 1));
    }

    #[test]
    fn a_row_is_kept_however_much_larger_it_is_than_it_was_thought() {
        let folder = TempDir::new().unwrap();
        let index = open(&folder, b"here");
        let row = Extent::row(key(), Version::of_file(1 << 30, 1, 0), 7, ByteCount::new(1));
        assert_eq!(index.keep(&key(), &row, Ok(&photo())), Kept::Done);
        assert_eq!(index.find(&key(), &row), Lookup::Found(photo()));
    }
}
