//! The tuner's library: features of a dataset become Parquet, or a trained head, and models label them.
//!
//! Here are the arguments, the bars for a person who looks on, and the summaries that are printed. The work is done in
//! `headwater-extraction` and `headwater-training`.

mod args;

mod extract;
mod fine_tune;
mod ingest;
mod labels;
mod relabel;
mod status;

mod report;

mod check;
mod command;

#[cfg(test)]
mod fixture;

pub use args::TunerArgs;
pub use command::run;
