//! Samples on their way: fetched, given their memory, decoded, taken through a recipe, run through a model.
//!
//! ```text
//! catalog ─ index ─▶ fetch ─▶ header ─▶ permit ─▶ decode ─▶ transform ─▶ extract ─▶ payload + permit
//!            (async: store)   (limits)  (bytes)   (── CPU pool ──)      (inference threads)
//! ```
//!
//! Invariant: no pixel is decoded before its memory is granted, and the grant lives as long as the bytes do. A sample
//! that fails is a value. Nothing here computes on an async thread for longer than it takes to read a header.

mod account;
mod budget;
mod failure;
mod resources;

mod outlook;

mod cached;
mod index;
mod models;
mod times;

mod prepared;
mod request;

mod pipeline;
mod underway;

mod photo;
mod recipe_run;

mod crops;
mod pixels;
mod ready;

mod features;

mod bound;
mod kept_features;
mod sample;
mod survey;

pub use account::{Account, Caller, Waiting, Waits};
pub use budget::{MemoryBudget, Permit};
pub use cached::{CacheKinds, DatasetCache, KindSet, KindsError, Package, Packages, Prefetched, SharedCache};
pub use index::{IndexCounts, Kept, Lookup, PhotoIndex};
pub use models::ModelSet;
pub use outlook::Outlook;
pub use pipeline::Pipeline;
pub use prepared::{Finished, Prepared};
pub use request::{Call, SampleRequest, Wanted, WantedError};
pub use resources::{Job, Memory, Resources};
pub use times::{Mark, Stage, StageTimes};
