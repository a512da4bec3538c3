//! What the profiler does: recipes shown; samples fetched, finished and written for other programs to read; epochs
//! planned; traces replayed.
//!
//! Invariant: what stands in a folder under its final name is whole. A sample that fails is a line that says why, and
//! never ends a run; more of them than `--max-failures` allows decide the exit code.

mod bars;
mod recipe;

mod import;
mod plan;

mod cache;
mod datasets;

mod args;
mod served;

mod fetch;

mod gauge;

mod model;

mod report;

mod compare;
mod epoch;

mod simulate;

mod check;
mod command;

pub use args::ProfilerArgs;
pub use command::run;
