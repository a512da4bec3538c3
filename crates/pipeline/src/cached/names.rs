//! The names under which a dataset's samples stand in the cache.

use headwater_cache::{EntryKey, Kind};
use headwater_image::IndexedJpeg;
use headwater_store::{Extent, Files, Version};
use headwater_types::digest::Digester;
use headwater_types::{ByteCount, Digest, SampleKey};

/// The scopes of one dataset in the cache.
#[derive(Debug)]
pub(crate) struct Names {
    dataset: Digest,
    /// The scope of files whose names are not those of photos: only a server that takes every file can tell what has
    /// become of them.
    other_files: Digest,
    /// The limit of all objects, which holds for rows of tables: those are listed with an estimate of their size.
    max_object: ByteCount,
}

// === impl Names ===

impl Names {
    pub(super) fn new(dataset: Digest, max_object: ByteCount) -> Self {
        let other_files = Digester::default().field(&dataset.as_bytes()[..]).field(b"other files").finish();
        Self { dataset, other_files, max_object }
    }

    /// The sample's bytes as they are stored.
    pub(crate) fn encoded(&self, key: &SampleKey, extent: &Extent) -> EntryKey {
        self.entry(Kind::Encoded, key, extent, self.most_stored(extent))
    }

    /// The photo as it was re-written.
    pub(crate) fn indexed(&self, key: &SampleKey, extent: &Extent) -> EntryKey {
        self.entry(Kind::Indexed, key, extent, IndexedJpeg::most_bytes(self.most_stored(extent)))
    }

    /// An entry of any kind that has at most so many bytes.
    pub(crate) fn entry(&self, kind: Kind, key: &SampleKey, extent: &Extent, most: ByteCount) -> EntryKey {
        EntryKey::new(kind, self.scope(key), key, extent.version(), most)
    }

    /// A key of a version of a sample, which stands for all its kinds: what the sample's entries are judged by.
    pub(super) fn version(&self, key: &SampleKey, version: Version) -> EntryKey {
        EntryKey::new(Kind::Encoded, self.scope(key), key, version, version.size())
    }

    /// The scope that a sample of this name is of.
    fn scope(&self, key: &SampleKey) -> &Digest {
        if Files::Photos.takes(key.as_str()) { &self.dataset } else { &self.other_files }
    }

    /// The scopes of which a listing can tell that took these files.
    pub(super) fn scopes(&self, files: Files) -> Vec<Digest> {
        let others = (files == Files::All).then_some(self.other_files);
        std::iter::once(self.dataset).chain(others).collect()
    }

    fn most_stored(&self, extent: &Extent) -> ByteCount {
        if extent.range().is_some() { extent.length() } else { self.max_object }
    }
}
