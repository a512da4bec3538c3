//! What a policy knows of an entry.

use crate::tier::Tier;

/// What a policy knows of an entry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Facts {
    /// Bytes that it takes in memory.
    pub memory_bytes: u64,
    /// Bytes that it takes on the SSD: the frame, in whole blocks.
    pub ssd_bytes: u64,
    /// Seconds to bring it back: to read it from its origin, and to make it. What is not above 0 is worth nothing.
    pub cost: f32,
    /// How much a sample matters to training, 1 where nobody reports it. What is not above 0 is worth nothing.
    pub importance: f32,
    /// The position of the next access, where the order is known; on the same clock as
    /// [`Tiers::advance`](crate::Tiers::advance).
    pub next_use: Option<u64>,
}

// === impl Facts ===

impl Facts {
    /// An entry of so many bytes in either tier, that costs a second to bring back.
    pub fn of_bytes(bytes: u64) -> Self {
        Self { memory_bytes: bytes, ssd_bytes: bytes, cost: 1.0, importance: 1.0, next_use: None }
    }

    /// Bytes that it takes in a tier.
    pub fn bytes(&self, tier: Tier) -> u64 {
        match tier {
            Tier::Memory => self.memory_bytes,
            Tier::Ssd => self.ssd_bytes,
        }
    }

    /// Seconds saved for each byte of a tier, by one hit.
    pub(crate) fn density(&self, tier: Tier) -> f64 {
        f64::from(self.cost).max(0.0) / self.bytes(tier).max(1) as f64
    }
}
