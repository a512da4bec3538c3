//! The photo index: photos that were re-written to be cropped without decoding, kept in a folder of the server's own.
//!
//! It only ever saves time: whatever is wrong with the folder, a photo is then simply not there. Invariant: what is found
//! was made from this version of this sample. Every call but
//! [`PhotoIndex::glimpse`] may wait for the disk: none belongs on an async thread.

use std::iter;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use headwater_cache::{
    Counts, Directory, DirectoryError, Entry, EntryKey, GlimpseBuffer, Kind, Living, NotKept, Swept,
};
use headwater_image::{IndexedHead, IndexedJpeg, JpegCrop, Unindexable};
use headwater_store::{Apart, Catalog, Files, Skip, Version};
use headwater_types::digest::Digester;
use headwater_types::recipe::Stages;
use headwater_types::{ByteCount, Digest, Draws, Framing, ImageLimits, SampleKey};

/// Re-written photos of one dataset.
#[derive(Debug)]
pub struct PhotoIndex {
    directory: Directory,
    dataset: Digest,
    /// The same for its files whose names are not those of photos: only who takes every file can tell what has become of them.
    other_files: Digest,
    limits: ImageLimits,
    unindexable: [AtomicU64; Unindexable::ALL.len()],
    errors: AtomicU64,
    /// Of threads that glimpse, one after the other.
    buffers: Mutex<Vec<GlimpseBuffer>>,
}

/// What the index knows of a photo.
#[derive(Clone, Debug, PartialEq)]
pub enum Lookup {
    /// Its re-written form.
    Found(IndexedJpeg),
    /// It was tried before: it has none.
    Unindexable(Unindexable),
    /// Nothing.
    Absent,
    /// The folder could not be read: what is made of the photo would not be found there either.
    Unreadable,
}

/// What came of keeping a photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Nothing is left to do: it will be found, or its reason is one that is seen again at once.
    Done,
    /// It is not there, for this reason; the log says more.
    Not(NotKept),
}

/// Largest buffer that is kept for the next glimpse: one for each thread that glimpses.
const KEEP_BUFFER: ByteCount = ByteCount::mebibytes(4);

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
        let other_files = Digester::default().field(&dataset.as_bytes()[..]).field(b"other files").finish();
        let (unindexable, errors, buffers) = Default::default();
        Ok(Self { directory, dataset, other_files, limits, unindexable, errors, buffers })
    }

    /// What is known of this version of a sample. Errors of the folder are logged and counted.
    pub fn find(&self, key: &SampleKey, version: Version) -> Lookup {
        let entry = match self.directory.get(&self.entry_key(key, version)) {
            Ok(Some(entry)) => entry,
            Ok(None) => return Lookup::Absent,
            Err(error) => {
                self.failed(&error);
                return Lookup::Unreadable;
            }
        };
        match entry {
            // What does not open, or is of a reason that this program does not know, is made again.
            Entry::Bytes(bytes) => IndexedJpeg::open(bytes, &self.limits).map_or(Lookup::Absent, Lookup::Found),
            Entry::Refused(reason) => match Unindexable::ALL.into_iter().find(|r| r.as_str().as_bytes() == reason) {
                Some(reason) => {
                    self.count(reason);
                    Lookup::Unindexable(reason)
                }
                None => Lookup::Absent,
            },
        }
    }

    /// A sample's crop, where its photo is here and in the system's memory: of a large one only the part that the crop needs
    /// is read. `None` says nothing: ask [`Self::find`]. Does not wait for a disk.
    pub fn glimpse(
        &self,
        key: &SampleKey,
        version: Version,
        stages: &Stages,
        draws: &Draws<'_>,
        buffer: &mut GlimpseBuffer,
    ) -> Option<JpegCrop> {
        let mut glimpse = self.directory.glimpse(&self.entry_key(key, version), buffer)?;
        let photo = IndexedHead::open(glimpse.start(), glimpse.length(), &self.limits).ok()?;
        let framing = Framing::new(stages, photo.size(stages.orientation), draws);
        let needs = photo.needs(glimpse.start(), stages, &framing).ok()?;
        let (start, needed) = glimpse.with(needs)?;
        photo.slice(start, needed, stages, &framing).ok()
    }

    /// Memory for glimpses, used before where there is some: filling fresh pages takes as long as a third of a glimpse.
    pub fn lend(&self) -> GlimpseBuffer {
        self.buffers.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    /// Takes it back, unless it grew to be worth more than the time that it saves.
    pub fn take_back(&self, buffer: GlimpseBuffer) {
        if buffer.capacity() <= KEEP_BUFFER {
            self.buffers.lock().unwrap_or_else(PoisonError::into_inner).push(buffer);
        }
    }

    /// Remembers what came of re-writing this version of a sample.
    pub fn keep(&self, key: &SampleKey, version: Version, made: Result<&IndexedJpeg, Unindexable>) -> Kept {
        let entry = match made {
            Ok(photo) => Entry::Bytes(photo.bytes().clone()),
            Err(reason) => {
                self.count(reason);
                if !is_remembered(reason) {
                    return Kept::Done;
                }
                Entry::Refused(reason.as_str().as_bytes().into())
            }
        };
        match self.directory.put(&self.entry_key(key, version), &entry) {
            Ok(()) => Kept::Done,
            Err(error) => {
                tracing::debug!(%error, "photo index");
                Kept::Not(error.not_kept())
            }
        }
    }

    /// Whether a photo of this size would be kept now: where not, re-writing it for the index would be in vain, and it counts as not
    /// kept.
    ///
    /// # Errors
    /// Why it would not.
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

    /// Whether it is known what the folder takes. Where it is not, since its ledger was lost, nothing is kept until it was
    /// [swept](Self::sweep).
    pub fn is_counted(&self) -> bool {
        self.directory.is_counted()
    }

    /// Removes what earlier processes left half-written, drops the entries of photos that this listing would have found and has not, or has
    /// found with another content, and counts the folder's bytes anew: seconds for a million photos, while others go on. What this
    /// listing cannot tell is not dropped: see [`Living`]. `None` where the folder could not be read, or `go_on` said no: it is asked now and
    /// then, with the share that is done.
    pub fn sweep(&self, catalog: &Catalog, go_on: impl Fn(f64) -> bool) -> Option<Swept> {
        const SHARDS: f64 = 256.0;
        let living = self.living(catalog);
        let goes_on = |shard: usize| go_on(shard as f64 / SHARDS);
        let swept = self.directory.sweep(living.as_ref(), goes_on).inspect_err(|error| self.failed(error)).ok()?;
        go_on(1.0).then_some(swept)
    }

    /// What is alive by this listing; `None` where it did not see everything.
    fn living(&self, catalog: &Catalog) -> Option<Living> {
        let scope = catalog.scope();
        if catalog.skipped().count(Skip::Unreadable) > 0 {
            return None;
        }
        let others = (scope.files == Files::All).then_some(self.other_files);
        let datasets = iter::once(self.dataset).chain(others).collect();
        let keys = catalog.iter().filter_map(|(_, entry)| Some((entry.key.parse().ok()?, entry.version)));
        let entries = keys.map(|(key, version): (SampleKey, Version)| self.entry_key(&key, version));
        Some(Living::new(datasets, scope.part, scope.since, entries))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Bytes that it takes on disk.
    pub fn usage(&self) -> ByteCount {
        self.directory.usage()
    }

    /// The most that it may take.
    pub fn limit(&self) -> ByteCount {
        self.directory.limit()
    }

    /// What was found, missed and kept since it was opened.
    pub fn counts(&self) -> Counts {
        self.directory.counts()
    }

    /// Times that a photo turned out, or was known, to have no indexed form, by reason.
    pub fn unindexable(&self) -> impl Iterator<Item = (Unindexable, u64)> + '_ {
        Unindexable::ALL
            .into_iter()
            .zip(&self.unindexable)
            .map(|(reason, count)| (reason, count.load(Ordering::Relaxed)))
    }

    /// Times that the folder could not be read.
    pub fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }

    fn entry_key(&self, key: &SampleKey, version: Version) -> EntryKey {
        let dataset = if Files::Photos.takes(key.as_str()) { &self.dataset } else { &self.other_files };
        EntryKey::new(Kind::Indexed, dataset, key, version, IndexedJpeg::most_bytes(version.size()))
    }

    fn count(&self, reason: Unindexable) {
        if let Some((_, count)) = Unindexable::ALL.into_iter().zip(&self.unindexable).find(|(each, _)| *each == reason)
        {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The first is told; a disk that is gone would otherwise fill the log.
    fn failed(&self, error: &DirectoryError) {
        if self.errors.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::warn!(%error, "the photo index cannot be read; photos are decoded from their source, and more of this is only counted");
        }
        tracing::debug!(%error, "photo index");
    }
}

/// Not where the photo's first bytes say it again, which would cost a block on disk for each; and not where it hangs on a
/// setting, which may be another next time.
fn is_remembered(reason: Unindexable) -> bool {
    !matches!(reason, Unindexable::NotJpeg | Unindexable::OverLimit | Unindexable::Memory)
}

#[cfg(test)]
mod tests {
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

    fn version(stamp: i64) -> Version {
        Version::of_file(10_000, stamp, 0)
    }

    fn photo() -> IndexedJpeg {
        let jpeg = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/image_decode/baseline.jpg"));
        IndexedJpeg::rewrite(&jpeg.unwrap(), &ImageLimits::default()).unwrap()
    }

    #[test]
    fn a_photo_is_found_under_its_version_and_in_its_dataset_only() {
        let folder = TempDir::new().unwrap();
        let index = open(&folder, b"here");
        assert_eq!((index.find(&key(), version(1)), index.is_empty()), (Lookup::Absent, true));
        assert_eq!(index.keep(&key(), version(1), Ok(&photo())), Kept::Done);
        assert_eq!(index.find(&key(), version(1)), Lookup::Found(photo()));
        assert_eq!(index.find(&key(), version(2)), Lookup::Absent);
        assert_eq!(open(&folder, b"there").find(&key(), version(1)), Lookup::Absent);
        assert!(!open(&folder, b"there").is_empty());
    }

    #[test]
    fn a_reason_is_remembered_unless_it_costs_nothing_to_see_or_hangs_on_a_setting() {
        let folder = TempDir::new().unwrap();
        let index = open(&folder, b"here");
        for (stamp, reason) in (0..).zip(Unindexable::ALL) {
            assert_eq!(index.keep(&key(), version(stamp), Err(reason)), Kept::Done);
            let forgotten = [Unindexable::NotJpeg, Unindexable::OverLimit, Unindexable::Memory].contains(&reason);
            let expected = if forgotten { Lookup::Absent } else { Lookup::Unindexable(reason) };
            assert_eq!(index.find(&key(), version(stamp)), expected, "{reason}");
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
            index.directory.put(&index.entry_key(&key(), version(1)), &entry).unwrap();
            assert_eq!(index.find(&key(), version(1)), Lookup::Absent);
        }
        assert_eq!(index.keep(&key(), version(1), Ok(&photo())), Kept::Done);
        assert_eq!(index.find(&key(), version(1)), Lookup::Found(photo()));
    }

    #[test]
    fn a_folder_that_fails_is_counted_and_nothing_is_made_for_it() {
        let folder = TempDir::new().unwrap();
        let index = open(&folder, b"here");
        // A file where the shard's folder should be.
        let shard = index.entry_key(&key(), version(1)).name().to_string()[..2].to_owned();
        std::fs::write(index.path().join(shard), b"in the way").unwrap();
        assert_eq!(index.find(&key(), version(1)), Lookup::Unreadable);
        let why = NotKept::Disk(WriteFault::Other);
        assert_eq!(index.keep(&key(), version(1), Ok(&photo())), Kept::Not(why));
        assert_eq!((index.errors(), index.counts().not_kept(why)), (1, 1));
    }
}
