//! What a listing looked at, and since when. Whoever remembers samples sees from it which of them the listing would
//! have found.

use std::time::SystemTime;

use headwater_types::Partition;

use crate::files::Files;

/// The scope of one listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The part of the dataset that was kept.
    pub part: Partition,
    /// The files that were taken.
    pub files: Files,
    /// The moment at which the listing began.
    pub since: SystemTime,
}

// === impl Scope ===

impl Scope {
    /// The scope of a listing that begins now.
    pub fn begin(part: Partition, files: Files) -> Self {
        Self { part, files, since: SystemTime::now() }
    }
}

impl Default for Scope {
    fn default() -> Self {
        Self::begin(Partition::ALL, Files::default())
    }
}
