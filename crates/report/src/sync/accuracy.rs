//! Accuracy over time.

use super::line::{Line, series};
use super::run::TrainingRun;
use crate::chart::{Axis, lines};
use crate::number::number;

/// A line for each run that was evaluated; in words where none was.
pub(crate) fn plot(runs: &[&TrainingRun]) -> String {
    let evaluated = runs.iter().filter(|run| !run.accuracy.is_empty());
    let all: Vec<_> = evaluated.map(|run| Line::thin(run.name.clone(), &run.accuracy)).collect();
    if all.is_empty() {
        return "<p>None of these runs was evaluated.</p>".to_owned();
    }
    let (places, series) = series(&all);
    let x = Axis { label: "seconds since the run began", logarithmic: false, format: number };
    lines(x, Axis { label: "top-1", logarithmic: false, format: number }, &places, &series)
}
