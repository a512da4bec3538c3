//! A cache of memory over an SSD gives the bytes that were put, or none; keeps its limits; and says of every entry what
//! became of it.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

mod burst;
mod common;
mod flights;
mod kills;
mod living;
mod restart;
mod sharing;
mod tiers;
