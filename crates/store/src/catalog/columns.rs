//! The samples of a catalog, column by column: 24 bytes a sample beside its key, and 16 more where samples are parts of
//! objects.
//!
//! Invariant: sorted by key in byte order, each key once.

use headwater_types::{ByteCount, SampleKey};

use super::rows::{PartOf, Rows};
use crate::extent::Extent;
use crate::version::Version;

/// Keys, versions and places, in the order of their samples' indices.
#[derive(Debug)]
pub(super) struct Columns {
    /// All keys, one after the other.
    keys: Box<str>,
    /// The place in `keys` where each key ends. A key begins where the key before it ends.
    ends: Box<[u64]>,
    versions: Box<[Version]>,
    /// The object of which each sample is a part. The column is empty where every sample is an object of its own, under
    /// its own key.
    parts: Box<[PartOf]>,
    /// Each of those objects, with its version as a whole.
    objects: Box<[(SampleKey, Version)]>,
    bytes_total: u64,
}

// === impl Columns ===

impl Columns {
    /// Sorts the rows. Of rows with the same key one is kept, always the same one; `again` hears the key of each other.
    pub(super) fn sorted(rows: Rows, again: impl FnMut(&str)) -> Self {
        let rows = rows.sorted(again);
        let mut keys = String::with_capacity(rows.iter().map(|(key, ..)| key.len()).sum());
        let mut ends = Vec::with_capacity(rows.len());
        for (key, ..) in rows.iter() {
            keys.push_str(key);
            ends.push(keys.len() as u64);
        }
        let parts =
            if rows.objects().is_empty() { Box::default() } else { rows.iter().map(|(.., part)| part).collect() };
        Self {
            keys: keys.into(),
            ends: ends.into(),
            versions: rows.iter().map(|(_, version, _)| version).collect(),
            parts,
            bytes_total: rows.iter().map(|(_, version, _)| version.size().get()).fold(0, u64::saturating_add),
            objects: rows.into_objects().into(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn key(&self, at: usize) -> Option<&str> {
        let start = if at == 0 { 0 } else { *self.ends.get(at - 1)? };
        let end = *self.ends.get(at)?;
        self.keys.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
    }

    pub(super) fn version(&self, at: usize) -> Option<Version> {
        self.versions.get(at).copied()
    }

    pub(super) fn extent(&self, at: usize) -> Option<Extent> {
        let version = self.version(at)?;
        let part = self.parts.get(at).copied().unwrap_or(PartOf::NONE);
        match self.objects.get(part.object as usize) {
            Some((object, listed)) => {
                Extent::part(object.clone(), *listed, part.offset..part.offset + version.size().get())
            }
            None => Some(Extent::whole(self.key(at)?.parse().ok()?, version)),
        }
    }

    pub(super) fn versions(&self) -> impl Iterator<Item = &Version> {
        self.versions.iter()
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|at| self.key(at))
    }

    /// The samples' encoded sizes, all together.
    pub(super) fn bytes_total(&self) -> ByteCount {
        ByteCount::new(self.bytes_total)
    }

    /// The memory that the columns take.
    pub(super) fn memory(&self) -> usize {
        let objects: usize = self.objects.iter().map(|entry| size_of_val(entry) + entry.0.as_str().len()).sum();
        self.keys.len() + size_of_val(&*self.ends) + size_of_val(&*self.versions) + size_of_val(&*self.parts) + objects
    }
}
