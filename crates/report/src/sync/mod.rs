//! A page about runs of training over several servers, with the figures of ESync's paper: accuracy over time, samples
//! and bytes a second, what workers' time goes into.
//!
//! In the order in which it is made: a log's parts become one `History`; a [`TrainingRun`] is what
//! of it the page shows, whatever the log's length; figures are drawn of all runs; a [`TrainingPage`] holds them.
//!
//! Invariant: a page has as many points a line and workers a run as `limits` says, however long a log is. What is left
//! out is said.

mod limits;

mod history;
mod line;
mod run;

mod accuracy;
mod incidents;
mod rates;
mod shares;
mod staleness;
mod steps;
mod table;

mod page;

pub use limits::MOST_RUNS;
pub use page::TrainingPage;
pub use run::{Common, TrainingRun};
