//! Local steps of workers over the rounds of a run.

use super::limits::SHOWN_WORKERS;
use super::line::{Line, series};
use super::run::TrainingRun;
use crate::chart::{Axis, lines};
use crate::number::number;

/// A line for each worker; in words where no round was made.
pub(crate) fn plot(run: &TrainingRun) -> String {
    let made = run.workers.iter().take(SHOWN_WORKERS).filter(|worker| !worker.steps.points.is_empty());
    let all: Vec<Line> = made.map(|worker| worker.steps.clone()).collect();
    if all.is_empty() {
        return "<p>No worker has made a step.</p>".to_owned();
    }
    let (places, series) = series(&all);
    let label = if run.is_async() { "exchange" } else { "round" };
    let x = Axis { label, logarithmic: false, format: number };
    lines(x, Axis { label: "local steps", logarithmic: true, format: number }, &places, &series)
}
