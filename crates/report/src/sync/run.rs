//! What the page shows of a run.

use std::collections::BTreeMap;

use headwater_plan::sync::Mode;
use headwater_plan::sync::log::{Log, Outcome, Run, SplitName, WorkerChange, WorkerRound, WorkerState};

use super::history::History;
use super::limits::SHOWN_CHANGES;
use super::line::Line;

/// A run, as much of it as a page shows.
pub struct TrainingRun {
    /// What it is called on the page.
    pub name: String,
    /// How it was started; `None` where its log is empty.
    pub run: Option<Run>,
    /// Lines of its log that were cut.
    pub cut: u64,
    /// Rounds that it has made; in `async` exchanges.
    pub rounds: u64,
    /// How long it took.
    pub seconds: f64,
    /// Whether it came to its end.
    pub ended: bool,
    /// Samples that its rounds have counted.
    pub samples: u64,
    /// Bytes that went to its workers and came from them.
    pub bytes: u64,
    /// How often a worker was lost, was back, was refused.
    pub incidents: [u64; 3],
    /// Parts of rounds that came behind the deadline.
    pub late: u64,
    /// Top-1 over time.
    pub(crate) accuracy: Vec<(f64, f64)>,
    /// The part of the workers' time in steps that its plans have promised, on average.
    pub(crate) promised: Option<f64>,
    pub(crate) workers: Vec<WorkerTotals>,
    pub(crate) changes: Vec<(f64, WorkerChange)>,
}

/// What a worker's time went into, and what it made.
#[derive(Clone, Debug, Default)]
pub(crate) struct WorkerTotals {
    pub(crate) name: String,
    pub(crate) compute: f64,
    pub(crate) communication: f64,
    pub(crate) waiting: f64,
    /// Steps over rounds.
    pub(crate) steps: Line,
    /// How often each staleness was.
    pub(crate) staleness: BTreeMap<u64, u64>,
}

/// An accuracy that every run of a kind has reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Common {
    /// From 0 to 1.
    pub top1: f64,
}

// === impl TrainingRun ===

impl TrainingRun {
    /// A run whose log is empty.
    pub fn empty(name: String, cut: u64) -> Self {
        Self {
            name,
            run: None,
            cut,
            rounds: 0,
            seconds: 0.0,
            ended: false,
            samples: 0,
            bytes: 0,
            incidents: [0; 3],
            late: 0,
            accuracy: Vec::new(),
            promised: None,
            workers: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// The run that this log is of.
    pub fn of(name: String, log: &Log) -> Self {
        let Some(last) = log.parts.last() else { return Self::empty(name, log.cut) };
        let history = History::of(log);
        let parts = || history.rounds.iter().flat_map(|(_, round)| &round.workers);
        let counted = || parts().filter(|part| part.outcome == Outcome::Counted);
        let count = |state| history.changes.iter().filter(|(_, change)| change.state == state).count() as u64;
        Self {
            cut: log.cut,
            rounds: history.rounds.len() as u64,
            seconds: history.seconds,
            ended: last.end.is_some(),
            samples: counted().map(|part| part.samples).fold(0, u64::saturating_add),
            bytes: parts().map(|part| part.bytes_sent.saturating_add(part.bytes_received)).fold(0, u64::saturating_add),
            incidents: [WorkerState::Lost, WorkerState::Back, WorkerState::Refused].map(count),
            late: parts().filter(|part| matches!(part.outcome, Outcome::Late | Outcome::StoodIn)).count() as u64,
            accuracy: history.accuracies.iter().map(|(at, accuracy)| (*at, accuracy.top1)).collect(),
            promised: promised(&history),
            workers: workers(&last.run, &history),
            changes: history.changes.iter().take(SHOWN_CHANGES).map(|(at, change)| (*at, (*change).clone())).collect(),
            run: Some(last.run.clone()),
            ..Self::empty(name, log.cut)
        }
    }

    /// What is to be said of its log: that it is empty, or was cut.
    pub fn note(&self) -> Option<String> {
        match (&self.run, self.rounds, self.cut) {
            (None, ..) => Some(format!("{}: the log is empty: its run has written no whole line", self.name)),
            (Some(_), 0, _) => Some(format!("{}: the run has written no round", self.name)),
            (Some(_), _, 0) => None,
            (Some(_), _, 1) => Some(format!("{}: the log was cut within a line, which is left out", self.name)),
            (Some(_), _, cut) => Some(format!("{}: the log was cut within {cut} lines, which are left out", self.name)),
        }
    }

    /// Samples a second; none where it took no time.
    pub fn samples_per_second(&self) -> Option<f64> {
        (self.seconds > 0.0).then(|| self.samples as f64 / self.seconds)
    }

    /// Bytes a second, of both ways; none where it took no time.
    pub fn bytes_per_second(&self) -> Option<f64> {
        (self.seconds > 0.0).then(|| self.bytes as f64 / self.seconds)
    }

    /// The last accuracy, from 0 to 1.
    pub fn top1(&self) -> Option<f64> {
        self.accuracy.last().map(|(_, top1)| *top1)
    }

    /// When the run first had this accuracy.
    pub fn seconds_to(&self, common: Common) -> Option<f64> {
        self.accuracy.iter().find(|(_, top1)| *top1 >= common.top1).map(|(at, _)| *at)
    }

    /// The part of the workers' time that went into local steps.
    pub fn utilisation(&self) -> Option<f64> {
        let whole = self.seconds * self.workers.len() as f64;
        (whole > 0.0).then(|| self.workers.iter().map(|worker| worker.compute).sum::<f64>() / whole)
    }

    pub(crate) fn is_by_class(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.split == SplitName::ByClass)
    }

    pub(crate) fn is_async(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.mode == Mode::Async)
    }

    fn best(&self) -> Option<f64> {
        self.accuracy.iter().map(|(_, top1)| *top1).reduce(f64::max)
    }
}

// === impl Common ===

impl Common {
    /// The best accuracy that all runs have reached whose samples were dealt as this one's: by class, or not.
    pub fn beside(run: &TrainingRun, runs: &[TrainingRun]) -> Option<Self> {
        Self::of(runs.iter().filter(|other| other.is_by_class() == run.is_by_class()))
    }

    /// The best accuracy that all of these runs have reached, as far as they were evaluated. A run that was killed
    /// early says nothing of the others, so that it counts only where none has ended.
    pub(crate) fn of<'a>(runs: impl Iterator<Item = &'a TrainingRun>) -> Option<Self> {
        let runs: Vec<_> = runs.collect();
        let any_ended = runs.iter().any(|run| run.ended && run.best().is_some());
        let best = runs.iter().filter(|run| run.ended || !any_ended).filter_map(|run| run.best());
        best.reduce(f64::min).map(|top1| Self { top1 })
    }
}

/// By how long each round took.
fn promised(history: &History<'_>) -> Option<f64> {
    let weighted = |promised: f64, seconds: f64| (promised * seconds, seconds);
    let rounds = history.rounds.iter().filter_map(|(_, round)| {
        Some(weighted(round.planned_utilisation?, (round.end_seconds - round.begin_seconds).max(1e-9)))
    });
    let (sum, whole) = rounds.fold((0.0, 0.0), |all, one| (all.0 + one.0, all.1 + one.1));
    (whole > 0.0).then(|| sum / whole)
}

fn workers(run: &Run, history: &History<'_>) -> Vec<WorkerTotals> {
    let mut steps: Vec<Vec<(f64, f64)>> = vec![Vec::new(); run.workers.len()];
    let name = |worker: &headwater_plan::sync::log::Worker| match worker.slowdown {
        1.0 => worker.name.clone(),
        slowdown => format!("{} ({slowdown}x slower)", worker.name),
    };
    let named = |worker| WorkerTotals { name: name(worker), ..WorkerTotals::default() };
    let mut totals: Vec<_> = run.workers.iter().map(named).collect();
    for (_, round) in &history.rounds {
        for part in &round.workers {
            // A part of an earlier start may be of a worker that this one has not.
            let (Some(total), Some(steps)) = (totals.get_mut(part.worker), steps.get_mut(part.worker)) else {
                continue;
            };
            total.add(part);
            if part.steps > 0 {
                steps.push((round.round as f64, f64::from(part.steps)));
            }
        }
    }
    for ((total, worker), steps) in totals.iter_mut().zip(&run.workers).zip(&steps) {
        total.steps = Line::thin(worker.name.clone(), steps);
    }
    totals
}

// === impl WorkerTotals ===

impl WorkerTotals {
    fn add(&mut self, part: &WorkerRound) {
        self.compute += part.compute_seconds;
        self.communication += part.communication_seconds;
        self.waiting += part.waiting_seconds;
        if part.outcome == Outcome::Counted {
            *self.staleness.entry(part.staleness).or_default() += 1;
        }
    }
}
