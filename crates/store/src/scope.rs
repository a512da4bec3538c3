//! What a listing looked at, and since when: by it somebody who remembers samples knows which of them the listing would have found.

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
    /// When it began.
    pub since: SystemTime,
}

// === impl Scope ===

impl Scope {
    /// Of a listing that begins now.
    pub fn begin(part: Partition, files: Files) -> Self {
        Self { part, files, since: SystemTime::now() }
    }
}

impl Default for Scope {
    fn default() -> Self {
        Self::begin(Partition::ALL, Files::default())
    }
}
