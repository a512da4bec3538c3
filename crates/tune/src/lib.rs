//! The tuner's library: features of a dataset become Parquet, or a trained head.
//!
//! It reads the arguments ([`args`]), lets [`extract`] or [`fine_tune`] do the work, with bars for a person who looks on, and prints a
//! summary ([`report`]). What is done lies in `headwater-extraction` and `headwater-training`.

mod args;

mod extract;
mod fine_tune;

mod report;

mod check;
mod command;

#[cfg(test)]
mod fixture;

pub use args::TunerArgs;
pub use command::run;
