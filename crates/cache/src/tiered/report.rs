//! What a cache says of itself.

use std::sync::Arc;
use std::time::Duration;

use headwater_policy::{Tier, Usage};
use headwater_types::ByteCount;

use super::Cache;
use super::ssd::Ssd;
use crate::counters::DirectoryCounts;
use crate::directory::Directory;
use crate::key::EntryKey;
use crate::kind::KindName;
use crate::latency::{Latency, Source};
use crate::outcome::{CacheCounts, Outcome};

impl Cache {
    /// What happened since the cache was opened.
    pub fn counts(&self) -> CacheCounts {
        self.shared.tally.read()
    }

    /// Counts what the cache cannot see: entries that were brought, prefetched, or given in another's place.
    pub fn count(&self, outcome: Outcome, kind: KindName, more: u64) {
        self.shared.tally.count_all(outcome, kind, more);
    }

    /// Notes how long an entry took that the cache did not bring.
    pub fn took(&self, source: Source, time: Duration) {
        self.shared.stopwatches.took(source, time);
    }

    /// How long entries took from there.
    pub fn latency(&self, source: Source) -> Latency {
        self.shared.stopwatches.read(source)
    }

    /// What a tier has of a kind. Entries that wait to be written are on the SSD.
    pub fn usage(&self, tier: Tier, kind: KindName) -> Usage {
        self.shared.books().usage(tier, kind)
    }

    /// The bytes of all entries in memory, those that wait to be written among them.
    pub fn held(&self) -> ByteCount {
        ByteCount::new(self.shared.books().held())
    }

    /// What was done with the folder.
    pub fn directory_counts(&self) -> DirectoryCounts {
        self.shared.ssd.as_ref().map(Ssd::counts).unwrap_or_default()
    }

    /// Whether an entry is in either tier. Counts nothing, and does not look at the disk.
    pub fn contains(&self, key: &EntryKey) -> bool {
        self.find(key).is_some()
    }

    /// Whether there is a tier on the SSD, if its disk works.
    pub fn has_ssd(&self) -> bool {
        self.shared.ssd.is_some()
    }

    /// The folder, while it can be used.
    pub fn directory(&self) -> Option<Arc<Directory>> {
        self.shared.ssd.as_ref().and_then(Ssd::directory)
    }
}
