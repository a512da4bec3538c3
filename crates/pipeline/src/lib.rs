//! One sample through a recipe up to a cut: fetched, given its memory, decoded, transformed, run through a model.
//!
//! ```text
//! catalog ─ index ─▶ fetch ─▶ header ─▶ permit ─▶ decode ─▶ transform ─▶ extract ─▶ payload + permit
//!            (async: store)   (limits)  (bytes)   (── CPU pool ──)      (inference threads)
//! ```
//!
//! Invariant: no pixel is decoded before its memory is granted, and the grant lives as long as the bytes do. A sample that
//! fails is a value. Nothing here computes on an async thread for longer than it takes to read a header.

mod account;
mod budget;
mod failure;
mod index;
mod models;
mod times;

mod prepared;

mod photo;

mod crops;
mod sample;
mod survey;

pub use account::{Account, Accounts, Waits};
pub use budget::{MemoryBudget, Permit};
pub use index::{Kept, Lookup, PhotoIndex};
pub use models::ModelSet;
pub use prepared::{Finished, Prepared};
pub use sample::{Pipeline, SampleRequest, Work};
pub use times::StageTimes;
