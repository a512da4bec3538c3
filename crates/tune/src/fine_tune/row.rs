//! A worker as a row of the table that is drawn while it trains.

use std::fmt;

use headwater_plan::sync::log::{Outcome, WorkerRound};

/// A worker, and what is known of it.
#[derive(Clone, Debug)]
pub(super) struct Row {
    name: String,
    /// Columns of the longest name.
    width: usize,
    pub(super) state: State,
    last: Option<WorkerRound>,
}

/// What a worker is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    Waited,
    Preparing { done: u64, of: u64 },
    Ready,
    Away(String),
}

/// The names of the columns, over names of so many columns.
pub(super) fn header(width: usize) -> String {
    let width = width.max(6);
    format!(
        "{:width$} {:>10} {:>6} {:>10} {:>8} {:>9} {:>8}",
        "worker", "state", "steps", "samples/s", "compute", "exchange", "waiting"
    )
}

// === impl Row ===

impl Row {
    pub(super) fn new(name: &str, width: usize) -> Self {
        Self { name: name.to_owned(), width: width.max(6), state: State::Waited, last: None }
    }

    /// Takes in its part of a round.
    pub(super) fn add(&mut self, part: &WorkerRound) {
        self.last = Some(part.clone());
    }

    /// What it is doing, in at most ten columns.
    fn doing(&self) -> String {
        match (&self.state, self.last.as_ref().map(|part| part.outcome)) {
            (State::Waited, _) => "waited for".to_owned(),
            (State::Preparing { done, of }, _) => format!("makes {:3} %", 100 * done / (*of).max(1)),
            (State::Away(_), _) => "away".to_owned(),
            (State::Ready, Some(Outcome::Late | Outcome::StoodIn)) => "late".to_owned(),
            (State::Ready, Some(Outcome::Refused)) => "refused".to_owned(),
            (State::Ready, Some(_)) => "trains".to_owned(),
            (State::Ready, None) => "ready".to_owned(),
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.width;
        write!(f, "{:width$} {:>10}", self.name, self.doing())?;
        match (&self.state, &self.last) {
            (State::Away(why), _) => write!(f, " {why}"),
            (_, None) => Ok(()),
            (_, Some(part)) => {
                let whole = part.compute_seconds + part.communication_seconds + part.waiting_seconds;
                let share = |seconds: f64| 100.0 * seconds / whole.max(f64::MIN_POSITIVE);
                let rate = part.samples as f64 / whole.max(f64::MIN_POSITIVE);
                let [compute, exchange, waiting] =
                    [part.compute_seconds, part.communication_seconds, part.waiting_seconds].map(share);
                let steps = part.steps;
                write!(f, " {steps:6} {rate:10.0} {compute:6.0} % {exchange:7.0} % {waiting:6.0} %")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(outcome: Outcome) -> WorkerRound {
        WorkerRound {
            worker: 0,
            outcome,
            steps: 48,
            samples: 3072,
            staleness: 0,
            compute_seconds: 2.88,
            communication_seconds: 4.8,
            waiting_seconds: 0.52,
            bytes_sent: 0,
            bytes_received: 0,
        }
    }

    #[test]
    fn a_row_says_what_its_worker_does_under_the_names_of_the_columns() {
        let mut row = Row::new("storage-1:7000", 14);
        assert_eq!(row.to_string(), "storage-1:7000 waited for");
        row.state = State::Preparing { done: 30, of: 400 };
        assert_eq!(row.to_string(), "storage-1:7000 makes   7 %");
        row.state = State::Ready;
        row.add(&part(Outcome::Counted));
        let columns = [header(14), row.to_string()];
        assert_eq!(columns[0], "worker              state  steps  samples/s  compute  exchange  waiting");
        assert_eq!(columns[1], "storage-1:7000     trains     48        375     35 %      59 %      6 %");
        row.add(&part(Outcome::Late));
        assert!(row.to_string().contains("late"), "{row}");
        row.state = State::Away("nothing was heard of it for 2 s".to_owned());
        assert_eq!(row.to_string(), "storage-1:7000       away nothing was heard of it for 2 s");
    }

    #[test]
    fn a_worker_of_which_no_time_is_known_has_a_rate_of_zero_and_not_of_infinity() {
        let mut row = Row::new("a", 1);
        row.state = State::Ready;
        let none = WorkerRound {
            steps: 0,
            samples: 0,
            compute_seconds: 0.0,
            communication_seconds: 0.0,
            ..part(Outcome::Lost)
        };
        row.add(&WorkerRound { waiting_seconds: 0.0, ..none });
        assert_eq!(row.to_string().split_whitespace().nth(3), Some("0"), "{row}");
    }
}
