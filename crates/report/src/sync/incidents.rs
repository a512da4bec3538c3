//! Which workers were lost, back or refused.

use std::fmt;

use headwater_plan::sync::log::WorkerState;

use super::run::TrainingRun;
use crate::chart::escape;
use crate::number::number;

/// What happened to the workers of all runs.
pub(crate) struct Incidents<'a> {
    pub(crate) runs: &'a [&'a TrainingRun],
}

/// Characters of a reason that are shown.
const SHOWN: usize = 120;

// === impl Incidents ===

impl fmt::Display for Incidents<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "<h2>Lost, back, refused</h2>")?;
        if self.runs.iter().all(|run| run.incidents == [0; 3] && run.late == 0) {
            return writeln!(
                f,
                "<p>Nothing: every worker was there in every round, and nothing of it was refused.</p>"
            );
        }
        writeln!(f, "<div class=\"wide\"><table><tr><th>run</th><th>lost</th><th>back</th><th>refused</th>")?;
        writeln!(f, "<th>late</th></tr>")?;
        for run in self.runs {
            let ([lost, back, refused], late, name) = (run.incidents, run.late, escape(&run.name));
            write!(f, "<tr><td>{name}</td><td>{lost}</td><td>{back}</td><td>{refused}</td><td>{late}</td></tr>")?;
        }
        writeln!(f, "</table></div>")?;
        for run in self.runs.iter().filter(|run| !run.changes.is_empty()) {
            list(f, run)?;
        }
        Ok(())
    }
}

fn list(f: &mut fmt::Formatter<'_>, run: &TrainingRun) -> fmt::Result {
    writeln!(f, "<div class=\"wide\"><table><tr><th>{}: worker</th><th>s</th>", escape(&run.name))?;
    writeln!(f, "<th>what</th><th>why</th></tr>")?;
    for (at, change) in &run.changes {
        let worker = run.workers.get(change.worker).map_or("", |worker| worker.name.as_str());
        let reason: String = change.reason.chars().take(SHOWN).collect();
        let (worker, at, what, why) = (escape(worker), number(*at), state(change.state), escape(&reason));
        writeln!(f, "<tr><td>{worker}</td><td>{at}</td><td>{what}</td><td>{why}</td></tr>")?;
    }
    let all: u64 = run.incidents.iter().sum();
    let left_out = all.saturating_sub(run.changes.len() as u64);
    writeln!(f, "</table></div>")?;
    if left_out > 0 {
        writeln!(f, "<p>{left_out} more are left out.</p>")?;
    }
    Ok(())
}

fn state(state: WorkerState) -> &'static str {
    match state {
        WorkerState::Lost => "lost",
        WorkerState::Back => "back",
        WorkerState::Refused => "refused",
    }
}
