//! Every sample of a dataset: index, key, version, place, label; and a digest over all of it.
//!
//! Invariant: sorted by key in byte order, each key once, so that an index depends on what is there and not on the
//! order in which it was found. Held as columns: 24 bytes a sample beside its key and its record.
//!
//! ```text
//! builder ─add─▶ base: is it there, and the same?   a bit
//!            └─▶ columns, in any order              what is new ─merge, labels─▶ body: sorted columns, digests
//! ```

mod skipped;

mod spot;

mod ends;
mod places;
mod records;

mod columns;

mod digests;

mod body;
mod labels;

mod base;
mod classes;
mod differences;
mod merge;

mod builder;
mod saved;

use std::sync::Arc;

use headwater_types::field::Fields;
use headwater_types::{ByteCount, ClassId, Differences, Digest, Listing, SampleIndex, SampleKey};

use self::body::Body;
use self::columns::UNLABELLED;
use self::spot::Spot;
use crate::extent::Extent;
use crate::scope::Scope;
use crate::version::Version;

pub use builder::CatalogBuilder;
pub use saved::count_kept;
pub(crate) use skipped::by_suffix;
pub use skipped::{LeftOut, Skipped};

/// The samples of one partition of a dataset, as they were when it was listed. Clones share their memory, and so do
/// catalogs of listings between which nothing changed.
#[derive(Clone, Debug)]
pub struct Catalog {
    body: Arc<Body>,
    scope: Scope,
    skipped: Skipped,
    listing: Listing,
}

/// One sample of a catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The sample's name: a path below the dataset's root.
    pub key: &'a str,
    /// Which content the sample had when it was listed.
    pub version: Version,
    /// The sample's class; `None` for a file right under the root, and for a sample without a given label where others
    /// have one.
    pub label: Option<ClassId>,
}

// === impl Catalog ===

impl Catalog {
    /// The number of samples.
    pub fn len(&self) -> usize {
        self.body.columns.len()
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The digest over the class names and over every sample's key, version and label. Servers that see the same
    /// dataset have the same digest, whatever the order of their listing.
    pub fn digest(&self) -> Digest {
        self.body.digest
    }

    /// The digest over the class names and over every sample's key and label, in order: what stays the same where files
    /// were only copied or touched, or photos replaced under their names.
    pub fn names(&self) -> Digest {
        self.body.names
    }

    /// The dataset of which this is a partition, in few bytes: the same for every partition of it.
    pub fn listing(&self) -> &Listing {
        &self.listing
    }

    /// The names of the classes in their order; a [`ClassId`] is a position in them. They are those of the whole
    /// dataset, so that a class has the same number in each of its partitions. Folders and given names are sorted in
    /// byte order, given numbers are those from 0 to the highest, and pinned classes stand as they were pinned.
    pub fn classes(&self) -> &[String] {
        &self.body.classes
    }

    /// What the samples' records hold.
    pub fn fields(&self) -> &Fields {
        &self.body.fields
    }

    /// The record of the sample at this index: its values of the fields, empty where it has none.
    pub fn record(&self, index: SampleIndex) -> &[u8] {
        usize::try_from(index.0).map_or(&[], |at| self.body.columns.records.get(at))
    }

    /// The sample at this index.
    pub fn get(&self, index: SampleIndex) -> Option<Entry<'_>> {
        self.at(usize::try_from(index.0).ok()?)
    }

    /// Where the bytes of the sample at this index lie.
    pub fn extent(&self, index: SampleIndex) -> Option<Extent> {
        self.body.columns.spot(usize::try_from(index.0).ok()?).and_then(Spot::extent)
    }

    /// The key of the sample at this index, in memory of its own.
    pub fn key(&self, index: SampleIndex) -> Option<SampleKey> {
        self.get(index)?.key.parse().ok()
    }

    /// Every sample, in order of its index.
    pub fn iter(&self) -> impl Iterator<Item = (SampleIndex, Entry<'_>)> {
        (0..self.len()).filter_map(|at| Some((SampleIndex(at as u64), self.at(at)?)))
    }

    /// The index of the sample with this key.
    pub fn find(&self, key: &str) -> Option<SampleIndex> {
        self.body.columns.find(key).ok().map(|at| SampleIndex(at as u64))
    }

    /// Whether two catalogs are of listings between which nothing changed, as was found while the later one ran.
    pub fn shares(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.body, &other.body)
    }

    /// What differs between this catalog and a later one of the same dataset.
    pub fn differences(&self, later: &Self) -> Differences {
        if self.shares(later) { Differences::default() } else { differences::between(&self.body, &later.body) }
    }

    /// What the listing looked at, and since when.
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// What the listing found and left out.
    pub fn skipped(&self) -> &Skipped {
        &self.skipped
    }

    /// The samples' encoded size, all together, as far as it was listed: of rows it is about right.
    pub fn bytes_total(&self) -> ByteCount {
        self.body.bytes_total
    }

    /// The memory that the catalog takes, keys and class names included.
    pub fn memory(&self) -> ByteCount {
        self.body.memory()
    }

    fn at(&self, at: usize) -> Option<Entry<'_>> {
        let (columns, label) = (&self.body.columns, self.body.columns.label(at));
        Some(Entry {
            key: columns.key(at)?,
            version: columns.spot(at)?.version(),
            label: (label != UNLABELLED).then_some(ClassId(label)),
        })
    }
}

#[cfg(test)]
mod tests;
