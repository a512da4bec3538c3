//! All runs as a table.

use std::fmt;

use headwater_plan::sync::log::Run;
use headwater_plan::sync::{Average, Mode, RuleName};

use super::run::{Common, TrainingRun};
use crate::chart::escape;
use crate::number::{NONE, Unit, number};

/// Runs whose samples were dealt alike, so that they can be compared.
pub(crate) struct Table<'a> {
    /// How they were dealt.
    pub(crate) dealt: &'a str,
    pub(crate) runs: &'a [&'a TrainingRun],
}

// === impl Table ===

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let common = Common::of(self.runs.iter().copied());
        let unit = Unit::bytes(self.runs.iter().map(|run| run.bytes).max().unwrap_or_default() as f64);
        let to = common.map_or_else(|| "to common top-1, s".to_owned(), |common| format!("to {:.4}, s", common.top1));
        writeln!(f, "<p>{}</p>", escape(self.dealt))?;
        let sent = format!("sent, {}", unit.name);
        let heads = ["run", "mode", "workers", "rounds", "seconds", "samples/s", "in steps", &sent, &to, "top-1"];
        let heads = heads.map(|head| format!("<th>{head}</th>")).concat();
        writeln!(f, "<div class=\"wide\"><table class=\"runs\"><tr>{heads}</tr>")?;
        let reached = |run: &TrainingRun| common.and_then(|common| run.seconds_to(common));
        let first = self.runs.iter().filter_map(|run| reached(run)).reduce(f64::min);
        for run in self.runs {
            let reached = reached(run);
            let class = if reached.is_some() && reached == first { " class=\"chosen\"" } else { "" };
            let cells = cells(run, unit, reached).map(|cell| format!("<td>{}</td>", escape(&cell))).concat();
            writeln!(f, "<tr{class}>{cells}</tr>")?;
        }
        writeln!(f, "</table></div>")
    }
}

fn cells(run: &TrainingRun, unit: Unit, reached: Option<f64>) -> [String; 10] {
    let or_none = |value: Option<String>| value.unwrap_or_else(|| NONE.to_owned());
    let started = run.run.as_ref();
    [
        run.name.clone(),
        or_none(started.map(mode)),
        run.workers.len().to_string(),
        run.rounds.to_string(),
        number(run.seconds),
        or_none(run.samples_per_second().map(number)),
        or_none(run.utilisation().map(|part| format!("{:.1} %", part * 100.0))),
        unit.of(run.bytes as f64),
        or_none(reached.map(number)),
        or_none(run.top1().map(|top1| format!("{top1:.4}"))),
    ]
}

/// The mode, and what differs from how runs are made where nothing is said.
fn mode(run: &Run) -> String {
    let mut words = run.mode.to_string();
    if run.mode == Mode::Esync && run.sync_rule == RuleName::Paper {
        words += ", paper";
    }
    if run.overlap {
        words += ", overlap";
    }
    if !matches!(run.mode, Mode::Local | Mode::Central) && run.average != Average::Normalized {
        words = format!("{words}, {}", run.average);
    }
    words
}
