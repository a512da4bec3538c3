//! Every sample of a dataset: index, key, version, place, label; and a digest over all of it.
//!
//! Invariant: sorted by key in byte order, each key once, so that an index depends on what is there and not on the
//! order in which it was found. Held as columns: 28 bytes a sample beside its key, and 16 more where samples are parts
//! of objects.

mod skipped;

mod columns;
mod digests;
mod labels;
mod rows;

mod builder;

use headwater_types::{ByteCount, ClassId, Digest, Listing, SampleIndex, SampleKey};

use self::columns::Columns;
use self::digests::digests;
use self::labels::UNLABELLED;
use crate::extent::Extent;
use crate::scope::Scope;
use crate::version::Version;

pub use builder::CatalogBuilder;
pub(crate) use skipped::by_suffix;
pub use skipped::{LeftOut, Skipped};

/// The samples of one partition of a dataset, as they were when it was listed.
#[derive(Debug)]
pub struct Catalog {
    columns: Columns,
    labels: Box<[u32]>,
    classes: Box<[String]>,
    scope: Scope,
    skipped: Skipped,
    digest: Digest,
    names: Digest,
    listing: Listing,
}

/// One sample of a catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The sample's name: a path below the dataset's root.
    pub key: &'a str,
    /// Which content the sample had when it was listed.
    pub version: Version,
    /// The sample's class; `None` for a file right under the root.
    pub label: Option<ClassId>,
}

// === impl Catalog ===

impl Catalog {
    /// A catalog of these samples, of which each has its label.
    fn new(
        columns: Columns,
        labels: Box<[u32]>,
        classes: Box<[String]>,
        scope: Scope,
        skipped: Skipped,
        listing: Listing,
    ) -> Self {
        let (digest, names) = digests(&columns, &labels, &classes);
        Self { columns, labels, classes, scope, skipped, listing, digest, names }
    }

    /// The number of samples.
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The digest over the class names and over every sample's key, version and label. Servers that see the same
    /// dataset have the same digest, whatever the order of their listing.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The digest over the class names and over every sample's key and label, in order: what stays the same where files
    /// were only copied or touched, or photos replaced under their names.
    pub fn names(&self) -> Digest {
        self.names
    }

    /// The dataset of which this is a partition, in few bytes: the same for every partition of it.
    pub fn listing(&self) -> &Listing {
        &self.listing
    }

    /// The names of the classes, sorted in byte order; a [`ClassId`] is a position in them. They are those of the whole
    /// dataset, so that a class has the same number in each of its partitions.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The sample at this index.
    pub fn get(&self, index: SampleIndex) -> Option<Entry<'_>> {
        self.at(usize::try_from(index.0).ok()?)
    }

    /// Where the bytes of the sample at this index lie.
    pub fn extent(&self, index: SampleIndex) -> Option<Extent> {
        self.columns.extent(usize::try_from(index.0).ok()?)
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
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            match self.at(middle)?.key.cmp(key) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(SampleIndex(middle as u64)),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// What the listing looked at, and since when.
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// What the listing found and left out.
    pub fn skipped(&self) -> &Skipped {
        &self.skipped
    }

    /// The samples' encoded size, all together.
    pub fn bytes_total(&self) -> ByteCount {
        self.columns.bytes_total()
    }

    /// The memory that the catalog takes, keys and class names included.
    pub fn memory(&self) -> ByteCount {
        let classes: usize = self.classes.iter().map(|name| size_of::<String>() + name.capacity()).sum();
        ByteCount::from(size_of::<Self>() + self.columns.memory() + size_of_val(&*self.labels) + classes)
    }

    fn at(&self, at: usize) -> Option<Entry<'_>> {
        let label = *self.labels.get(at)?;
        Some(Entry {
            key: self.columns.key(at)?,
            version: self.columns.version(at)?,
            label: (label != UNLABELLED).then_some(ClassId(label)),
        })
    }
}

#[cfg(test)]
mod tests;
