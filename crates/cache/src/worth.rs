//! What an entry is worth to whoever puts it, and what came of putting it.

use crate::not_kept::NotKept;
use headwater_policy::Tier;

/// What an entry is worth: see [`headwater_policy::Facts`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Worth {
    /// Seconds that it takes to bring the entry back: to read its origin, and to make it.
    pub cost: f32,
    /// How much the sample matters to training; 1 where nobody reports it.
    pub importance: f32,
    /// The position of the next access, where the order is known.
    pub next_use: Option<u64>,
}

/// What came of putting an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is in this tier.
    In(Tier),
    /// It is in none, for this reason.
    Not(Rejected),
}

/// Why an entry is in no tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rejected {
    /// It is larger than each tier, or than its key allows.
    TooLarge,
    /// The policy holds what is there for worth more.
    WorthLess,
    /// The folder of the SSD's tier does not take it.
    NotKept(NotKept),
}

// === impl Worth ===

impl Worth {
    /// What takes so many seconds to bring back, where nothing else is known of it.
    pub fn of_cost(seconds: f32) -> Self {
        Self { cost: seconds, importance: 1.0, next_use: None }
    }
}
