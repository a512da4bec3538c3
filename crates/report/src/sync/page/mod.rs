//! The page about runs of training.

use std::fmt;

use super::accuracy;
use super::incidents::Incidents;
use super::limits::{POINTS, SHOWN_WORKERS};
use super::rates;
use super::run::TrainingRun;
use super::shares;
use super::staleness;
use super::steps;
use super::table::Table;
use crate::chart::escape;
use crate::html::{head, section};

/// A page about runs of training.
pub struct TrainingPage<'a> {
    /// The runs, in the order in which they are shown.
    pub runs: &'a [TrainingRun],
}

// === impl TrainingPage ===

impl fmt::Display for TrainingPage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = "Headwater: training over several servers";
        head(f, title)?;
        writeln!(f, "<h1>{title}</h1>")?;
        self.notes(f)?;
        let (by_class, even): (Vec<_>, Vec<_>) = self.runs.iter().partition(|run| run.is_by_class());
        let tables = [("Samples as the workers hold them, or dealt evenly:", &even), ("Dealt by class:", &by_class)];
        for (dealt, runs) in tables.into_iter().filter(|(_, runs)| !runs.is_empty()) {
            write!(f, "{}", Table { dealt, runs })?;
        }
        let words = "Of the coordinator's weights, evaluated beside the rounds.";
        if !even.is_empty() {
            section(f, "Accuracy over time", words, &accuracy::plot(&even))?;
        }
        if !by_class.is_empty() {
            section(f, "Accuracy over time, dealt by class", words, &accuracy::plot(&by_class))?;
        }
        let all: Vec<_> = self.runs.iter().collect();
        section(f, "Throughput", "Samples that rounds have counted, of all workers.", &rates::samples(&all))?;
        section(f, "Traffic", "Weights are all that travels.", &rates::bytes_per_second(&all))?;
        writeln!(f, "<div class=\"wide\">{}</div>", rates::bytes(&all))?;
        self.runs.iter().filter(|run| run.rounds > 0).try_for_each(|run| figures(f, run))?;
        write!(f, "{}", Incidents { runs: &all })?;
        let thin = format!("Lines have at most {POINTS} points, and figures at most {SHOWN_WORKERS} workers.");
        writeln!(f, "<p>{thin}</p></body></html>")
    }
}

impl TrainingPage<'_> {
    /// What is missing, and of which runs.
    fn notes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for run in self.runs {
            run.note().iter().try_for_each(|note| writeln!(f, "<p><strong>{}</strong></p>", escape(note)))?;
        }
        Ok(())
    }
}

/// The figures of one run.
fn figures(f: &mut fmt::Formatter<'_>, run: &TrainingRun) -> fmt::Result {
    let words = "Of the run's time, by worker. The dashed line is the part in local steps that the plan has promised.";
    let words = if run.promised.is_some() { words } else { "Of the run's time, by worker." };
    section(f, &format!("{}: what time goes into", run.name), words, &shares::plot(run))?;
    let words = "Of each worker, over the rounds.";
    section(f, &format!("{}: local steps", run.name), words, &steps::plot(run))?;
    if run.is_async() {
        let words = "Versions that the weights had advanced by when a worker's change arrived: from the 5th to the \
                     95th percentile, and the median.";
        section(f, &format!("{}: staleness", run.name), words, &staleness::plot(run))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
