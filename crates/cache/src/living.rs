//! Which entries are alive: those of the samples that a listing has found. All others of the same samples are dead.
//!
//! Several servers, parts and datasets share a folder, and each knows its own listing only. Invariant: an entry is
//! dropped only by one that can tell, which is to say that
//!
//! - it is of a dataset that was listed (its place), of the part that was listed, and of a key that the listing would
//!   have taken;
//! - that listing saw everything (nothing that could not be read), and did not find the version of the sample that the
//!   entry is of;
//! - it was written before that listing began: what another server, which has listed later, keeps in the meantime is
//!   none of its business.
//!
//! Where that is wrong all the same, as after a change of the clock, or on machines that have other photos under the
//! same path, an entry is made again: dropping costs time, never data. Entries of datasets that nobody serves any more
//! are dropped by nobody: whoever could tell has never listed them.

use std::time::SystemTime;

use headwater_types::{Digest, Partition};

use crate::key::EntryKey;
use crate::name::EntryName;

/// What a listing has found, in 8 bytes a sample.
#[derive(Debug)]
pub struct Living {
    datasets: Vec<Digest>,
    part: Partition,
    /// When the listing began.
    since: SystemTime,
    /// The versions of samples that were found, as names have them, sorted.
    versions: Vec<u64>,
}

/// What an entry is, by its name and when it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The entry is of a sample that was listed.
    Alive,
    /// The entry is of a sample that is no more, or that is of another version.
    Dead,
    /// The entry is of something that was not listed here.
    NotOurs,
}

// === impl Living ===

impl Living {
    /// The samples of a part of these datasets, as listed from `since` on: a key of any kind for each.
    pub fn new(
        datasets: Vec<Digest>,
        part: Partition,
        since: SystemTime,
        entries: impl Iterator<Item = EntryKey>,
    ) -> Self {
        let mut versions: Vec<_> = entries.map(|key| key.name().version()).collect();
        versions.sort_unstable();
        Self { datasets, part, since, versions }
    }

    /// What is to be done with the file of this name in a shard; `None` for what is no entry.
    pub(crate) fn fate(&self, shard: u8, file: &[u8], written: SystemTime) -> Option<Fate> {
        let is_older = written < self.since;
        let Some(name) = EntryName::parse(shard, file) else {
            let outdated = EntryName::is_outdated(file);
            return outdated.then_some(if is_older { Fate::Dead } else { Fate::NotOurs });
        };
        Some(match self.lacks(&name) {
            _ if self.has(&name) => Fate::Alive,
            true if is_older => Fate::Dead,
            _ => Fate::NotOurs,
        })
    }

    /// Whether an entry is of a sample that this listing would have found, and of a version that it has not found.
    pub(crate) fn lacks(&self, name: &EntryName) -> bool {
        !self.has(name) && self.datasets.iter().any(|dataset| name.is_of(dataset, self.part))
    }

    fn has(&self, name: &EntryName) -> bool {
        self.versions.binary_search(&name.version()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use headwater_store::Version;
    use headwater_types::ByteCount;

    use super::*;
    use crate::kind::Kind;

    fn key(dataset: &str, sample: &str, stamp: i64) -> EntryKey {
        let (dataset, version) = (Digest::of(dataset.as_bytes()), Version::of_file(10, stamp, 0));
        EntryKey::new(Kind::Indexed, &dataset, &sample.parse().unwrap(), version, ByteCount::mebibytes(1))
    }

    #[test]
    fn only_what_this_listing_would_have_found_and_was_there_before_it_is_dead() {
        let since = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
        let (before, after) = (since - Duration::from_secs(1), since);
        for part in (1..=2).filter_map(|number| Partition::new(number, 2)) {
            let listed = ["a", "b", "c", "d"].map(|sample| key("here", sample, 1));
            let living = Living::new(vec![Digest::of(b"here")], part, since, listed.into_iter());
            let fate = |key: &EntryKey, written| {
                let name = key.name();
                living.fate(name.shard(), &name.in_shard(), written).unwrap()
            };
            for sample in ["a", "b", "c", "d"] {
                assert_eq!(fate(&key("here", sample, 1), before), Fate::Alive);
                assert_eq!(fate(&key("there", sample, 1), before), Fate::NotOurs);
                let of_the_part = if part.contains(sample) { Fate::Dead } else { Fate::NotOurs };
                assert_eq!(fate(&key("here", sample, 2), before), of_the_part, "another version of {sample}");
                assert_eq!(fate(&key("here", sample, 2), after), Fate::NotOurs, "made since");
                let gone = format!("{sample}/deleted");
                let of_the_part = if part.contains(&gone) { Fate::Dead } else { Fate::NotOurs };
                assert_eq!(fate(&key("here", &gone, 1), before), of_the_part);
            }
            assert_eq!(living.fate(0, b"_Xy12zW", before), None);
            let outdated = b"0123456789abcdef0123456789abcd";
            assert_eq!(living.fate(0, outdated, before), Some(Fate::Dead));
        }
    }
}
