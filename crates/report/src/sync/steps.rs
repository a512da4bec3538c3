//! Local steps of workers over the rounds of a run.

use super::limits::SHOWN_WORKERS;
use super::line::{Line, series};
use super::run::TrainingRun;
use crate::chart::{Axis, lines};
use crate::number::number;

/// A line for each worker; in words where no round was made.
pub(crate) fn plot(run: &TrainingRun) -> String {
    let all = alike(run.workers.iter().take(SHOWN_WORKERS).map(|worker| &worker.steps));
    if all.is_empty() {
        return "<p>No worker has made a step.</p>".to_owned();
    }
    let (places, series) = series(&all);
    let label = if run.is_async() { "exchange" } else { "round" };
    let x = Axis { label, logarithmic: false, format: number };
    lines(x, Axis { label: "local steps", logarithmic: true, format: number }, &places, &series)
}

/// Lines that are the same as one, which is called as the first of them: the names of all would be longer than the
/// plot.
fn alike<'a>(lines: impl Iterator<Item = &'a Line>) -> Vec<Line> {
    let mut groups: Vec<(&Line, usize)> = Vec::new();
    for line in lines.filter(|line| !line.points.is_empty()) {
        match groups.iter_mut().find(|(first, _)| first.points == line.points) {
            Some((_, more)) => *more += 1,
            None => groups.push((line, 0)),
        }
    }
    let name = |(line, more): (&Line, usize)| match more {
        0 => line.clone(),
        more => Line { name: format!("{} and {more} more", line.name), points: line.points.clone() },
    };
    groups.into_iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_that_make_the_same_steps_are_one_line() {
        let line = |name: &str, steps: f64| Line { name: name.into(), points: vec![(1.0, steps)] };
        let lines = [line("a", 5.0), line("b", 1.0), line("c", 5.0), line("d", 5.0), Line::default()];
        let names: Vec<_> = alike(lines.iter()).into_iter().map(|line| line.name).collect();
        assert_eq!(names, ["a and 2 more", "b"]);
    }
}
