//! The names of policies.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// How a cache decides what it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PolicyName {
    /// By cost saved for each byte and the time until the next use, where the order is known.
    Planned,
    /// By importance x cost to bring back / bytes.
    Importance,
    /// Fills, and never evicts: CoorDL's MinIO cache (VLDB'21).
    Static,
    /// Evicts what was used longest ago.
    Lru,
    /// Evicts what was used least often; of those, what was used longest ago.
    Lfu,
    /// Three first-in-first-out queues: S3-FIFO (SOSP'23).
    S3Fifo,
    /// Evicts what is used last of all (Belady 1966): the bound for entries of one size. In the simulator only.
    Belady,
}

/// Text that names no policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no policy {0:?}: use planned, importance, static, lru, lfu or s3-fifo (belady in the simulator)")]
pub struct PolicyNameError(String);

// === impl PolicyName ===

impl PolicyName {
    /// Those that a cache can have: `belady` knows what nobody knows.
    pub const SERVED: [Self; 6] = [Self::Planned, Self::Importance, Self::Static, Self::Lru, Self::Lfu, Self::S3Fifo];

    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Planned, Self::Importance, Self::Static, Self::Lru, Self::Lfu, Self::S3Fifo, Self::Belady];

    /// Its name, as it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Importance => "importance",
            Self::Static => "static",
            Self::Lru => "lru",
            Self::Lfu => "lfu",
            Self::S3Fifo => "s3-fifo",
            Self::Belady => "belady",
        }
    }

    /// Whether entries are held against each other: what is worth less than what it would push out is not admitted.
    /// The others admit whatever fits.
    pub(crate) fn compares(self) -> bool {
        match self {
            Self::Planned | Self::Importance | Self::Static | Self::Belady => true,
            Self::Lru | Self::Lfu | Self::S3Fifo => false,
        }
    }
}

impl FromStr for PolicyName {
    type Err = PolicyNameError;

    fn from_str(text: &str) -> Result<Self, PolicyNameError> {
        let named = Self::ALL.into_iter().find(|policy| policy.name() == text);
        named.ok_or_else(|| PolicyNameError(text.chars().take(64).collect()))
    }
}

impl fmt::Display for PolicyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for PolicyName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_read_as_they_are_written() {
        for policy in PolicyName::ALL {
            assert_eq!(policy.to_string().parse(), Ok(policy));
        }
        for bad in ["", "LRU", "s3fifo", "optimal"] {
            assert!(bad.parse::<PolicyName>().is_err(), "{bad}");
        }
    }
}
