//! Tables in files: the features of a dataset ([`features`]), what models said of its photos ([`labels`]), what its
//! samples cost ([`profile`]), and how each of them travels ([`plan`]).
//!
//! Invariant: what is read is what was written, or an error; a digest over the content stands in every file. A table is
//! written whole or not at all.
//!
//! This crate alone knows Parquet and Arrow. It never connects to a server and never trains.

pub mod features;
pub mod labels;
pub mod network;
pub mod plan;
pub mod profile;
