//! The tuner's library: features of a dataset become Parquet, or a trained head.
//!
//! In the order in which data passes: features arrive from storage servers or from a folder of Parquet parts ([`source`]); by a plan
//! some samples come from servers as pixels, and become features here. [`extract`] puts them into parts; [`fine_tune`] trains a head
//! on them. Both end with a summary ([`report`]).
//!
//! Invariant: what is written is there whole or not at all, and holds each sample exactly once, whatever is killed when.

mod args;

mod source;

mod extract;
mod fine_tune;

mod report;

mod check;
mod command;

#[cfg(test)]
mod fixture;

pub use args::TunerArgs;
pub use command::run;
