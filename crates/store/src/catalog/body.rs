//! What two catalogs have in common where nothing differs between their listings.

use std::sync::Arc;

use headwater_types::field::Fields;
use headwater_types::{ByteCount, Digest};

use super::columns::Columns;
use super::digests::digests;

/// The samples of a catalog with their classes and digests.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) columns: Columns,
    pub(super) classes: Arc<[String]>,
    /// Whether labels were given, so that folders are no classes.
    pub(super) is_given: bool,
    /// What the samples' records hold.
    pub(super) fields: Fields,
    pub(super) bytes_total: ByteCount,
    pub(super) digest: Digest,
    pub(super) names: Digest,
}

// === impl Body ===

impl Body {
    /// These samples, which are sorted and labelled.
    pub(super) fn new(columns: Columns, classes: Arc<[String]>, is_given: bool, fields: Fields) -> Self {
        let (digest, names) = digests(&columns, &classes);
        let bytes_total = columns.bytes_total();
        Self { columns, classes, is_given, fields, bytes_total, digest, names }
    }

    /// The memory that it takes, keys and class names included.
    pub(super) fn memory(&self) -> ByteCount {
        let classes: usize = self.classes.iter().map(|name| size_of::<String>() + name.capacity()).sum();
        ByteCount::from(size_of::<Self>() + self.columns.memory() + classes)
    }
}
