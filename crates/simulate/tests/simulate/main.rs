//! What traces show of the policies.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

mod given;
mod importance;
mod jobs;
mod page;
mod random;
mod substitute;
mod support;
mod sync;
