//! The two tiers, their sizes, and what moves between them.

use std::fmt;

/// Where an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tier {
    /// In memory.
    Memory,
    /// On the SSD.
    Ssd,
}

/// The most bytes of each tier; 0 where there is no such tier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TierSizes {
    /// Bytes of memory.
    pub memory: u64,
    /// Bytes of the SSD.
    pub ssd: u64,
}

/// What a tier holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of all entries.
    pub bytes: u64,
    /// The number of entries.
    pub entries: u64,
}

/// What the cache has to do, in this order. An entry that takes another's place in a tier comes behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moved<K> {
    /// From memory to the SSD.
    Demoted(K),
    /// From the SSD to memory.
    Promoted(K),
    /// Out of this tier, and so out of the cache.
    Evicted(K, Tier),
}

// === impl Tier ===

impl Tier {
    /// Both, the faster one first.
    pub const BOTH: [Self; 2] = [Self::Memory, Self::Ssd];

    pub(crate) fn place(self) -> usize {
        match self {
            Self::Memory => 0,
            Self::Ssd => 1,
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Memory => "memory",
            Self::Ssd => "ssd",
        })
    }
}

// === impl TierSizes ===

impl TierSizes {
    /// The most bytes of a tier.
    pub fn of(&self, tier: Tier) -> u64 {
        match tier {
            Tier::Memory => self.memory,
            Tier::Ssd => self.ssd,
        }
    }
}
