//! A training in rounds as a person sees it while it runs: a bar for the rounds, and a row for each worker.

use std::sync::{Arc, Mutex, PoisonError};

use headwater_cli::{Bar, Line, Progress};
use headwater_federation::{FederationOptions, Listener, News, WorkerNews};
use headwater_plan::sync::Mode;
use headwater_plan::sync::log::{Accuracy, WorkerRound};

use super::row::{Row, State, header};

/// Rows that a terminal has room for; the summary and the run's log have all workers.
const MOST_ROWS: usize = 32;

/// What is drawn.
struct Live {
    rounds: Bar,
    is_async: bool,
    _header: Line,
    rows: Mutex<Vec<(Row, Line)>>,
    _left_out: Line,
}

/// Draws how these workers train, where a person looks on.
pub(super) fn listener(progress: &Progress, options: &FederationOptions, workers: &[String]) -> Listener {
    let live = Live::new(progress, options, workers);
    Arc::new(move |news| live.hear(news))
}

// === impl Live ===

impl Live {
    fn new(progress: &Progress, options: &FederationOptions, workers: &[String]) -> Self {
        let rounds = progress.items("rounds", Some(options.rounds));
        let width = workers.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let heading = progress.line();
        heading.say(header(width));
        let row = |name: &String| {
            let (row, line) = (Row::new(name, width), progress.line());
            line.say(row.to_string());
            (row, line)
        };
        let rows = workers.iter().take(MOST_ROWS).map(row).collect();
        let left_out = progress.line();
        if let Some(more @ 1..) = workers.len().checked_sub(MOST_ROWS) {
            left_out.say(format!("({more} workers more are in the summary and in --run-log)"));
        }
        let is_async = options.mode == Mode::Async;
        Self { rounds, is_async, _header: heading, rows: Mutex::new(rows), _left_out: left_out }
    }

    fn hear(&self, news: News) {
        match news {
            News::Worker(worker, news) => self.change(worker, |row| row.state = state(&news)),
            News::Round(round, parts) => self.round(round, &parts),
            News::Judged(accuracy) => self.judged(&accuracy),
        }
    }

    fn round(&self, round: u64, parts: &[WorkerRound]) {
        if !self.is_async {
            self.rounds.set(round);
        }
        for part in parts {
            self.change(part.worker, |row| row.add(part));
        }
        let steps: Vec<_> = parts.iter().map(|part| part.steps.to_string()).collect();
        tracing::debug!(round, steps = steps.join(" "), "a round has ended");
    }

    fn judged(&self, accuracy: &Accuracy) {
        if self.is_async {
            self.rounds.set(accuracy.round);
        }
        let loss = accuracy.loss.unwrap_or(f64::NAN);
        self.rounds.note(format!("top-1 {:.4}, loss {loss:.4} after round {}", accuracy.top1, accuracy.round));
    }

    fn change(&self, worker: usize, change: impl FnOnce(&mut Row)) {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((row, line)) = rows.get_mut(worker) {
            change(row);
            line.say(row.to_string());
        }
    }
}

fn state(news: &WorkerNews) -> State {
    match news {
        WorkerNews::Preparing { done, of } => State::Preparing { done: *done, of: *of },
        WorkerNews::Ready => State::Ready,
        WorkerNews::Away { why } => State::Away(why.clone()),
    }
}
