//! What the policies promise, over whole sequences of accesses.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

mod agrees;
mod homes;
mod kept;
mod kinds;
mod naive;
mod opportunistic;
mod random;
mod steps;
mod substitute;
mod tiers;
