//! What happened to entries, counted by kind from the moment that the cache was opened.

use crate::counters::Counter;
use crate::kind::KindName;

/// Something that happens to an entry, and is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Found in memory.
    MemoryHit,
    /// Found on the SSD, or on its way there.
    SsdHit,
    /// Not found.
    Miss,
    /// Asked for while somebody else brought it, and given what that one brought.
    Coalesced,
    /// Brought from its origin. Counted by who brings it.
    Origin,
    /// Another sample was given in its place. Counted by who gives it.
    Substituted,
    /// Brought before it was asked for. Counted by who brings it.
    Prefetched,
    /// Put, and kept.
    Admitted,
    /// Put, and not kept.
    Rejected,
    /// Moved from memory to the SSD.
    Demoted,
    /// Moved from the SSD to memory.
    Promoted,
    /// Gone, so that others have room: those too that were to be demoted, and that the disk did not take.
    Evicted,
    /// Gone, since what it was made of is no more.
    Dropped,
    /// Not the bytes that were put: removed, and a miss.
    Corrupt,
    /// There, and not read, since the disk refused: a miss.
    Unreadable,
}

/// Counts as they were at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheCounts([[u64; KindName::ALL.len()]; Outcome::ALL.len()]);

/// The counters.
#[derive(Debug, Default)]
pub(crate) struct Tally([[Counter; KindName::ALL.len()]; Outcome::ALL.len()]);

// === impl Outcome ===

impl Outcome {
    /// Everything that is counted.
    pub const ALL: [Self; 15] = [
        Self::MemoryHit,
        Self::SsdHit,
        Self::Miss,
        Self::Coalesced,
        Self::Origin,
        Self::Substituted,
        Self::Prefetched,
        Self::Admitted,
        Self::Rejected,
        Self::Demoted,
        Self::Promoted,
        Self::Evicted,
        Self::Dropped,
        Self::Corrupt,
        Self::Unreadable,
    ];

    /// The outcome's name in metrics and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MemoryHit => "memory-hit",
            Self::SsdHit => "ssd-hit",
            Self::Miss => "miss",
            Self::Coalesced => "coalesced",
            Self::Origin => "origin",
            Self::Substituted => "substituted",
            Self::Prefetched => "prefetched",
            Self::Admitted => "admitted",
            Self::Rejected => "rejected",
            Self::Demoted => "demoted",
            Self::Promoted => "promoted",
            Self::Evicted => "evicted",
            Self::Dropped => "dropped",
            Self::Corrupt => "corrupt",
            Self::Unreadable => "unreadable",
        }
    }
}

// === impl CacheCounts ===

impl CacheCounts {
    /// Entries of a kind to which this happened.
    pub fn of(&self, outcome: Outcome, kind: KindName) -> u64 {
        self.0[outcome as usize][kind.place()]
    }

    /// Entries of any kind to which this happened.
    pub fn total(&self, outcome: Outcome) -> u64 {
        self.0[outcome as usize].iter().sum()
    }
}

// === impl Tally ===

impl Tally {
    pub(crate) fn count(&self, outcome: Outcome, kind: KindName) {
        self.count_all(outcome, kind, 1);
    }

    pub(crate) fn count_all(&self, outcome: Outcome, kind: KindName, more: u64) {
        self.0[outcome as usize][kind.place()].add_all(more);
    }

    pub(crate) fn read(&self) -> CacheCounts {
        CacheCounts(self.0.each_ref().map(|kinds| kinds.each_ref().map(Counter::get)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_a_name_and_a_place_of_its_own() {
        for (place, outcome) in Outcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome as usize, place);
            assert!(Outcome::ALL[..place].iter().all(|other| other.as_str() != outcome.as_str()));
        }
    }
}
