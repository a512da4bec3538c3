//! A log that was read: a part for each start of its run.

use super::error::LogFault;
use super::event::{Accuracy, End, Event, FORMAT, Round, Run, WorkerChange};
use super::limits::MOST_WORKERS;

/// What a run has written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {
    /// The parts, in order: the run as it began, then each time that it was gone on with. At least one.
    pub parts: Vec<Part>,
    /// Lines that were cut, because their writer was killed.
    pub cut: u64,
}

/// What a run has written between its start and its end, or until it was killed.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// How it was started.
    pub run: Run,
    /// Its rounds, in order.
    pub rounds: Vec<Round>,
    /// Its accuracies.
    pub accuracies: Vec<Accuracy>,
    /// What happened to its workers.
    pub changes: Vec<WorkerChange>,
    /// Its end; `None` where it was killed.
    pub end: Option<End>,
}

// === impl Log ===

impl Log {
    /// Takes in the next line.
    pub(super) fn push(&mut self, event: Event) -> Result<(), LogFault> {
        if let Event::Run(run) = event {
            check_run(&run)?;
            let (rounds, accuracies, changes) = (Vec::new(), Vec::new(), Vec::new());
            self.parts.push(Part { run, rounds, accuracies, changes, end: None });
            return Ok(());
        }
        let part = self.parts.last_mut().ok_or(LogFault::NoRun)?;
        if part.end.is_some() && !matches!(event, Event::Accuracy(_)) {
            return Err(LogFault::BehindEnd);
        }
        part.push(event)
    }
}

// === impl Part ===

impl Part {
    fn push(&mut self, event: Event) -> Result<(), LogFault> {
        match event {
            Event::Run(_) => return Err(LogFault::NoRun),
            Event::Round(round) => {
                self.check_round(&round)?;
                self.rounds.push(round);
            }
            Event::Accuracy(accuracy) => {
                seconds("at_seconds", accuracy.at_seconds)?;
                share("top1", Some(accuracy.top1))?;
                self.accuracies.push(accuracy);
            }
            Event::Worker(change) => {
                self.known(change.worker)?;
                seconds("at_seconds", change.at_seconds)?;
                self.changes.push(change);
            }
            Event::End(end) => {
                seconds("seconds", end.seconds)?;
                share("top1", end.top1)?;
                self.end = Some(end);
            }
        }
        Ok(())
    }

    fn known(&self, worker: usize) -> Result<(), LogFault> {
        let workers = self.run.workers.len();
        if worker < workers { Ok(()) } else { Err(LogFault::NoSuchWorker { given: worker, workers }) }
    }

    fn check_round(&self, round: &Round) -> Result<(), LogFault> {
        seconds("begin_seconds", round.begin_seconds)?;
        seconds("end_seconds", round.end_seconds)?;
        if round.end_seconds < round.begin_seconds {
            let expected = "at or after begin_seconds";
            return Err(LogFault::Value { field: "end_seconds", value: round.end_seconds, expected });
        }
        share("planned_utilisation", round.planned_utilisation)?;
        let most = self.run.workers.len() as u64;
        if round.workers.len() as u64 > most {
            return Err(LogFault::TooMany { what: "workers in the round", most });
        }
        round.workers.iter().try_for_each(|worker| {
            self.known(worker.worker)?;
            seconds("compute_seconds", worker.compute_seconds)?;
            seconds("communication_seconds", worker.communication_seconds)?;
            seconds("waiting_seconds", worker.waiting_seconds)
        })
    }
}

fn check_run(run: &Run) -> Result<(), LogFault> {
    if run.format != FORMAT {
        return Err(LogFault::Format { given: run.format, known: FORMAT });
    }
    if run.workers.len() > MOST_WORKERS {
        return Err(LogFault::TooMany { what: "workers", most: MOST_WORKERS as u64 });
    }
    let good = |worker: &super::event::Worker| worker.slowdown.is_finite() && worker.slowdown >= 0.0;
    match run.workers.iter().find(|worker| !good(worker)) {
        Some(worker) => {
            Err(LogFault::Value { field: "slowdown", value: worker.slowdown, expected: "a number, 0 or more" })
        }
        None => Ok(()),
    }
}

/// Ten thousand years: no run is longer, and sums stay exact.
const LONGEST: f64 = 3.2e11;

fn seconds(field: &'static str, value: f64) -> Result<(), LogFault> {
    let expected = "a number of seconds, 0 or more";
    if (0.0..=LONGEST).contains(&value) { Ok(()) } else { Err(LogFault::Value { field, value, expected }) }
}

/// A part of a whole, where it is given. What is a hair above it comes of rounding.
fn share(field: &'static str, value: Option<f64>) -> Result<(), LogFault> {
    match value {
        Some(value) if !(0.0..=1.000_001).contains(&value) => {
            Err(LogFault::Value { field, value, expected: "from 0 to 1" })
        }
        _ => Ok(()),
    }
}
