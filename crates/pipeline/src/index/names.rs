//! The names under which a dataset's photos stand in the index.

use std::iter;
use std::sync::Arc;

use headwater_cache::{EntryKey, Kind, Living};
use headwater_image::IndexedJpeg;
use headwater_store::{Catalog, Files, Skip, Version};
use headwater_types::digest::Digester;
use headwater_types::{ByteCount, Digest, SampleKey};

/// The scopes of one dataset in the index.
#[derive(Debug)]
pub(super) struct Names {
    dataset: Digest,
    /// The scope of files whose names are not those of photos: only a server that takes every file can tell what has
    /// become of them.
    other_files: Digest,
}

// === impl Names ===

impl Names {
    pub(super) fn new(dataset: Digest) -> Self {
        let other_files = Digester::default().field(&dataset.as_bytes()[..]).field(b"other files").finish();
        Self { dataset, other_files }
    }

    /// The name of a version of a sample that has at most so many bytes as it is stored.
    pub(super) fn entry(&self, key: &SampleKey, version: Version, stored: ByteCount) -> EntryKey {
        let dataset = if Files::Photos.takes(key.as_str()) { &self.dataset } else { &self.other_files };
        EntryKey::new(Kind::Indexed, dataset, key, version, IndexedJpeg::most_bytes(stored))
    }

    /// The entries that are alive by these listings, of which the latest comes first; `None` where that one did not see
    /// everything.
    pub(super) fn living(&self, catalogs: &[Arc<Catalog>]) -> Option<Living> {
        let latest = catalogs.first()?;
        let scope = latest.scope();
        if latest.skipped().count(Skip::Unreadable) > 0 {
            return None;
        }
        let others = (scope.files == Files::All).then_some(self.other_files);
        let datasets = iter::once(self.dataset).chain(others).collect();
        let keys = catalogs
            .iter()
            .flat_map(|catalog| catalog.iter())
            .filter_map(|(_, entry)| Some((entry.key.parse().ok()?, entry.version)));
        let entries = keys.map(|(key, version): (SampleKey, Version)| self.entry(&key, version, version.size()));
        Some(Living::new(datasets, scope.part, scope.since, entries))
    }
}
