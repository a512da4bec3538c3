//! What a cache keeps, and in which of its two tiers: memory over an SSD.
//!
//! [`Tiers`] is one state machine, which the cache of a server and the simulator both run: it knows keys, bytes and
//! worth, and says what is to be moved. It never sees the bytes themselves.
//!
//! Invariant: no entry is in both tiers, and neither tier holds more bytes than its size. Never here: I/O, clocks,
//! threads, randomness.

mod facts;
mod name;
mod tier;

pub mod priority;

mod slots;

mod clock;
mod order;

mod ghost;
mod tiers;

pub mod homes;
pub mod jobs;
pub mod kinds;
pub mod opportunistic;
pub mod substitute;

pub use facts::Facts;
pub use name::{PolicyName, PolicyNameError};
pub use tier::{Moved, Tier, TierSizes, Usage};
pub use tiers::Tiers;
