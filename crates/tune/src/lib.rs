//! The tuner's library: features of a dataset become Parquet, or a trained head; models are pushed, and label.
//!
//! Here are the arguments, the bars for a person who looks on, and the summaries that are printed. The work is done in
//! `headwater-extraction`, `headwater-training` and `headwater-rollout`.

mod args;

mod extract;
mod fine_tune;
mod ingest;
mod labels;
mod partition;
mod push;
mod relabel;
mod status;

mod report;

mod check;
mod command;

#[cfg(test)]
mod fixture;

pub use args::TunerArgs;
pub use command::run;
