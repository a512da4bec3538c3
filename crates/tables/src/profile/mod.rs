//! A profile as a Parquet file: a row for each sample, in order.
//!
//! | column | type | |
//! |---|---|---|
//! | `server` | uint32, not null | its server's place in `headwater.servers` |
//! | `key` | utf8 | |
//! | `width`, `height` | uint32 | of the decoded photo |
//! | `measured` | boolean, not null | else predicted |
//! | `WAY_bytes` | uint32, not null | payload bytes at each way, such as `flipped_lossless_bytes` |
//! | `WAY_storage_seconds`, `WAY_trainer_seconds` | float64, not null | CPU seconds of both sides |
//!
//! What the profile is of stands in the key-value metadata of the file: see `metadata.rs`.
//!
//! Invariant: [`read`] gives back what [`write`] was given, or an error. Numbers are checked by a digest, and each by
//! itself before it is believed.

mod columns;
mod error;
mod metadata;
mod read;
mod write;

pub use error::ProfileFileError;
pub use read::read;
pub use write::write;

#[cfg(test)]
mod tests;
