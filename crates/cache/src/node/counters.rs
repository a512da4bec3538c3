//! What happened, counted by each process in its own place of the table: the sum is true over all of them.

use super::layout::{COUNTERS, u64_at};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counter {
    MemoryHits,
    SsdHits,
    Origin,
    Coalesced,
    Admitted,
    Rejected,
    Demoted,
    Promoted,
    Evicted,
    Corrupt,
    MemoryFailed,
    SsdFailed,
    Busy,
}

/// The numbers of one process, or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeCounts([u64; COUNTERS]);

// === impl NodeCounts ===

impl NodeCounts {
    /// The names of all counters, in their order:
    ///
    /// - `memory_hits`, `ssd_hits`, `origin`: where an access was answered from. Together they are all accesses
    /// - `coalesced`: accesses, also counted as hits, that waited for another process that read the same sample
    /// - `admitted`, `rejected`: values that were kept, and that were not: too large, or worth less than what is there
    /// - `demoted`, `promoted`: moves from memory to the SSD and back
    /// - `evicted`: values that left the cache
    /// - `corrupt`: values on the SSD whose checksum did not fit
    /// - `memory_failed`, `ssd_failed`: what the system refused: a full /dev/shm, a full or failing disk
    /// - `busy`: accesses and values for which the cache could not be waited for
    pub const NAMES: [&'static str; 13] = [
        "memory_hits",
        "ssd_hits",
        "origin",
        "coalesced",
        "admitted",
        "rejected",
        "demoted",
        "promoted",
        "evicted",
        "corrupt",
        "memory_failed",
        "ssd_failed",
        "busy",
    ];

    /// The numbers under [`Self::NAMES`].
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Self::NAMES.into_iter().zip(self.0)
    }

    /// The number of this name; 0 for any other.
    pub fn get(&self, name: &str) -> u64 {
        self.iter().find(|(known, _)| *known == name).map_or(0, |(_, number)| number)
    }

    pub(super) fn add(&mut self, counter: Counter) {
        self.0[counter as usize] += 1;
    }

    pub(super) fn absorb(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, number)| *sum += number);
    }

    pub(super) fn to_bytes(self) -> [u8; 8 * COUNTERS] {
        let mut bytes = [0; 8 * COUNTERS];
        for (place, number) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(self.0) {
            *place = number.to_le_bytes();
        }
        bytes
    }

    pub(super) fn parse(bytes: &[u8]) -> Self {
        Self(std::array::from_fn(|place| u64_at(bytes, 8 * place)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_counter_has_its_name_and_place() {
        let mut counts = NodeCounts::default();
        counts.add(Counter::Busy);
        counts.add(Counter::MemoryHits);
        assert_eq!((counts.get("busy"), counts.get("memory_hits"), counts.get("origin")), (1, 1, 0));
        let mut sum = NodeCounts::parse(&counts.to_bytes());
        assert_eq!(sum, counts);
        sum.absorb(&counts);
        assert_eq!(sum.get("busy"), 2);
    }
}
