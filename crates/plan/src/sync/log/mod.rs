//! What a run of training over several servers writes down, one JSON object a line: the types, and how a log is read.
//!
//! A run begins with a line `run`, and each round is a line, with every worker's part. Lines of accuracy and of workers
//! that are lost or back stand between them, where they happened. Seconds count from the begin of the run's part on a
//! clock that only goes forwards. A run that was stopped and goes on appends to its file another line `run`, whose
//! `resumed_from` is the last round that it keeps: the file has two [`Part`]s then.
//!
//! Invariant: what is read has every number in its range, and every worker's number is one of its run. A line that was
//! cut because its writer was killed is left out and counted ([`Log::cut`]).

mod error;
mod event;
mod limits;
mod parts;
mod read;
mod split;

pub use error::{LogError, LogFault};
pub use event::{
    Accuracy, End, EndOutcome, Event, FORMAT, Outcome, Round, Run, Worker, WorkerChange, WorkerRound, WorkerState,
};
pub use limits::{MOST_BYTES, MOST_LINE_BYTES, MOST_WORKERS};
pub use parts::{Log, Part};
pub use read::read;
pub use split::SplitName;
