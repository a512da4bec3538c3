//! A log's parts as one run: what was gone on with, without the rounds that were lost on the way.

use headwater_plan::sync::log::{Accuracy, Log, Part, Round, WorkerChange};

/// A run with its rounds, accuracies and changes on one clock.
pub(crate) struct History<'a> {
    pub(crate) rounds: Vec<(f64, &'a Round)>,
    pub(crate) accuracies: Vec<(f64, &'a Accuracy)>,
    pub(crate) changes: Vec<(f64, &'a WorkerChange)>,
    /// How long all parts took, as far as they have said.
    pub(crate) seconds: f64,
}

// === impl History ===

impl<'a> History<'a> {
    /// Each part's clock begins where the part before was last heard of. Rounds behind the one that a part goes on from
    /// are made again, so that the first time does not count; the time that it took does.
    pub(crate) fn of(log: &'a Log) -> Self {
        let mut all = Self { rounds: Vec::new(), accuracies: Vec::new(), changes: Vec::new(), seconds: 0.0 };
        for part in &log.parts {
            if let Some(kept) = part.run.resumed_from {
                all.rounds.retain(|(_, round)| round.round <= kept);
                all.accuracies.retain(|(_, accuracy)| accuracy.round <= kept);
            }
            all.push(part);
        }
        all
    }

    fn push(&mut self, part: &'a Part) {
        let begin = self.seconds;
        self.rounds.extend(part.rounds.iter().map(|round| (begin + round.end_seconds, round)));
        self.accuracies.extend(part.accuracies.iter().map(|accuracy| (begin + accuracy.at_seconds, accuracy)));
        self.changes.extend(part.changes.iter().map(|change| (begin + change.at_seconds, change)));
        let rounds = part.rounds.iter().map(|round| round.end_seconds);
        let changes = part.changes.iter().map(|change| change.at_seconds);
        let last = rounds.chain(changes).chain(part.end.as_ref().map(|end| end.seconds)).fold(0.0, f64::max);
        self.seconds = begin + last;
    }
}
