//! The samples that a listing has found so far, in the order in which it found them.

use headwater_types::SampleKey;

use crate::extent::Extent;
use crate::version::Version;

/// Samples that are not sorted yet.
#[derive(Debug, Default)]
pub(super) struct Rows {
    keys: String,
    rows: Vec<Row>,
    /// The objects of which samples are parts, each with its version as a whole.
    objects: Vec<(SampleKey, Version)>,
}

/// The object of which a sample is a part, and where in it the sample begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PartOf {
    /// A position among the objects.
    pub(super) object: u32,
    /// In bytes.
    pub(super) offset: u64,
}

#[derive(Debug)]
struct Row {
    /// The place in `keys` where the sample's key begins.
    start: u64,
    version: Version,
    offset: u64,
    object: u32,
    /// The length of the key in bytes, of which there are at most `MAX_KEY_BYTES`.
    len: u16,
}

// === impl PartOf ===

impl PartOf {
    /// The sample is an object of its own, under its own key. No object has this position: a catalog has fewer samples.
    pub(super) const NONE: Self = Self { object: u32::MAX, offset: 0 };
}

// === impl Rows ===

impl Rows {
    /// Adds a sample that is an object of its own; `false` where the key is too long for a row.
    pub(super) fn push(&mut self, key: &str, version: Version) -> bool {
        self.add(key, version, PartOf::NONE)
    }

    /// Adds a sample that lies there; `false` where the key is too long for a row, or where there are too many objects.
    pub(super) fn push_at(&mut self, key: &str, extent: &Extent) -> bool {
        let object = (extent.object(), extent.listed());
        // Members come archive by archive.
        if self.objects.last().is_none_or(|(name, listed)| (name, *listed) != object) {
            self.objects.push((object.0.clone(), object.1));
        }
        let Ok(object) = u32::try_from(self.objects.len() - 1) else { return false };
        self.add(key, extent.version(), PartOf { object, offset: extent.range().start })
    }

    /// Adds what another listing thread has found.
    pub(super) fn absorb(&mut self, other: Self) {
        let (start, object) = (self.keys.len() as u64, self.objects.len() as u32);
        self.keys.push_str(&other.keys);
        self.objects.extend(other.objects);
        self.rows.extend(other.rows.into_iter().map(|row| {
            let object = if row.object == PartOf::NONE.object { row.object } else { row.object + object };
            Row { start: row.start + start, object, ..row }
        }));
    }

    /// Sorts the rows by key and keeps each key once. `again` hears the key of each row that is left out.
    pub(super) fn sorted(mut self, mut again: impl FnMut(&str)) -> Self {
        let (keys, objects) = (&self.keys, &self.objects);
        let order = |row: &Row| (row.key(keys), row.version, objects.get(row.object as usize), row.offset);
        self.rows.sort_unstable_by(|a, b| order(a).cmp(&order(b)));
        self.rows.dedup_by(|later, kept| {
            let is_again = later.key(keys) == kept.key(keys);
            if is_again {
                again(kept.key(keys));
            }
            is_again
        });
        self
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, Version, PartOf)> {
        let part = |row: &Row| PartOf { object: row.object, offset: row.offset };
        self.rows.iter().map(move |row| (row.key(&self.keys), row.version, part(row)))
    }

    pub(super) fn objects(&self) -> &[(SampleKey, Version)] {
        &self.objects
    }

    pub(super) fn into_objects(self) -> Vec<(SampleKey, Version)> {
        self.objects
    }

    fn add(&mut self, key: &str, version: Version, part: PartOf) -> bool {
        let Ok(len) = u16::try_from(key.len()) else { return false };
        let PartOf { object, offset } = part;
        self.rows.push(Row { start: self.keys.len() as u64, version, offset, object, len });
        self.keys.push_str(key);
        true
    }
}

// === impl Row ===

impl Row {
    fn key<'a>(&self, keys: &'a str) -> &'a str {
        // Rows are made beside their keys, from the same string.
        let start = self.start as usize;
        &keys[start..start + usize::from(self.len)]
    }
}
