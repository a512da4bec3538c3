//! What a run writes down and tells as it goes.

use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use headwater_plan::sync::log::{Accuracy, End, EndOutcome, Event, Round, Run, WorkerChange, WorkerRound, WorkerState};

use crate::error::FederationError;

/// Hears how a run goes.
pub type Listener = Arc<dyn Fn(News) + Send + Sync>;

/// How a run goes.
#[derive(Clone, Debug)]
pub enum News {
    /// Something of a worker, by its number.
    Worker(usize, WorkerNews),
    /// A round has ended: its number, and the parts of its workers.
    Round(u64, Vec<WorkerRound>),
    /// Weights were judged.
    Judged(Accuracy),
}

/// Something of a worker.
#[derive(Clone, Debug)]
pub enum WorkerNews {
    /// It makes features: how many samples have had their turn, of how many.
    Preparing {
        /// Samples that have had their turn.
        done: u64,
        /// All of them.
        of: u64,
    },
    /// It takes steps.
    Ready,
    /// It is away, or out.
    Away {
        /// Why.
        why: String,
    },
}

/// Where a run is written down, a line for each thing that happens, and who hears of it.
pub struct Journal {
    begin: Instant,
    sink: Option<Box<dyn Write + Send>>,
    listener: Listener,
    fault: Option<std::io::Error>,
    has_run: bool,
    /// What happened to workers before the run's own line.
    early: Vec<Event>,
}

// === impl Journal ===

impl Journal {
    /// Begins now. Lines go to `sink`, where there is one.
    pub fn new(sink: Option<Box<dyn Write + Send>>, listener: Listener) -> Self {
        Self { begin: Instant::now(), sink, listener, fault: None, has_run: false, early: Vec::new() }
    }

    /// Time counts from now on.
    pub(crate) fn run(&mut self, run: Run) {
        self.begin = Instant::now();
        self.has_run = true;
        self.write(&Event::Run(run));
        let early = std::mem::take(&mut self.early);
        early.iter().for_each(|event| self.write(event));
    }

    /// Seconds since the begin.
    pub(crate) fn at(&self, moment: Instant) -> f64 {
        moment.saturating_duration_since(self.begin).as_secs_f64()
    }

    pub(crate) fn round(&mut self, round: Round) {
        (self.listener)(News::Round(round.round, round.workers.clone()));
        self.write(&Event::Round(round));
    }

    pub(crate) fn accuracy(&mut self, accuracy: Accuracy) {
        (self.listener)(News::Judged(accuracy.clone()));
        self.write(&Event::Accuracy(accuracy));
    }

    pub(crate) fn change(&mut self, worker: usize, state: WorkerState, reason: &str) {
        let at_seconds = if self.has_run { self.at(Instant::now()) } else { 0.0 };
        let event = Event::Worker(WorkerChange { worker, at_seconds, state, reason: reason.to_owned() });
        if self.has_run { self.write(&event) } else { self.early.push(event) }
    }

    pub(crate) fn end(&mut self, rounds: u64, outcome: EndOutcome, top1: Option<f64>) {
        let seconds = self.at(Instant::now());
        if self.has_run {
            self.write(&Event::End(End { rounds, seconds, outcome, top1 }));
        }
    }

    pub(crate) fn tell(&self, worker: usize, news: WorkerNews) {
        (self.listener)(News::Worker(worker, news));
    }

    /// What kept a line from being written.
    ///
    /// # Errors
    /// The first such fault: a log with a gap is none.
    pub(crate) fn check(&mut self) -> Result<(), FederationError> {
        self.fault.take().map_or(Ok(()), |fault| Err(FederationError::Log(fault)))
    }

    /// Writes a line at once, so that whoever is killed has written what it has done.
    fn write(&mut self, event: &Event) {
        let Some(sink) = &mut self.sink else { return };
        let line = serde_json::to_string(event).map_err(std::io::Error::other);
        let written = line.and_then(|line| sink.write_all(format!("{line}\n").as_bytes())).and_then(|()| sink.flush());
        if let Err(fault) = written {
            self.fault.get_or_insert(fault);
        }
    }
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("begin", &self.begin).finish_non_exhaustive()
    }
}
