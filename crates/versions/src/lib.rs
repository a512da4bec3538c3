//! The models of a storage node in their versions: taken piece by piece, kept whole, activated and undone.
//!
//! ```text
//! piece ─▶ partial ─▶ whole? ─▶ facts, delta::apply ─▶ digest ─▶ onnx::check ─▶ file ─▶ record: a version of a name
//!                                                              activate, roll back ─▶ record: which one serves
//! ```
//!
//! Invariants: a file has the name of its own digest, and is there whole or not at all. The record is exchanged whole,
//! so a crash leaves the one before or the one after. What was taken is checked before it is a version, and nothing
//! here decides that a version serves: who activates has opened it before. A revision only grows.

pub mod error;

pub mod record;

mod folder;

mod transfer;

mod store;

mod offers;

pub use error::VersionError;
pub use record::{Manner, Named, Record, Version};
pub use store::{Opened, StoreLimits, VersionStore};
pub use transfer::Transfer;
