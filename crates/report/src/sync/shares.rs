//! What the time of a run's workers goes into.

use super::limits::SHOWN_WORKERS;
use super::run::{TrainingRun, WorkerTotals};
use crate::chart::{Mark, marked_shares};

/// Parts of a worker's time, with their colours' numbers.
const PARTS: [(usize, &str); 4] =
    [(2, "local steps"), (1, "communication"), (7, "waiting"), (13, "in no round, or between rounds")];

/// A bar for each worker, and the part in local steps that the plan has promised.
pub(crate) fn plot(run: &TrainingRun) -> String {
    let shown = &run.workers[..run.workers.len().min(SHOWN_WORKERS)];
    let names: Vec<_> = shown.iter().map(|worker| worker.name.clone()).collect();
    let bars: Vec<_> = shown.iter().map(|worker| bar(worker, run.seconds).to_vec()).collect();
    let parts = PARTS.map(|(colour, name)| (colour, name.to_owned()));
    let mark = run.promised.map(|at| Mark { at, name: format!("the plan's bound: {:.0} %", at * 100.0) });
    marked_shares("worker", &names, &parts, &bars, mark.as_ref())
}

/// Of the run's time. What runs beside local steps (`--overlap`) is shown as far as it is longer than they are.
fn bar(worker: &WorkerTotals, seconds: f64) -> [f64; 4] {
    let mut left = 1.0;
    let mut of = |part: f64| {
        let share = (part / seconds.max(1e-9)).clamp(0.0, left);
        left -= share;
        share
    };
    let (compute, waiting, communication) = (of(worker.compute), of(worker.waiting), of(worker.communication));
    [compute, communication, waiting, left]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_the_whole_time_and_what_overlaps_is_not_counted_twice() {
        let worker = |compute, communication, waiting| WorkerTotals {
            compute,
            communication,
            waiting,
            ..WorkerTotals::default()
        };
        assert_eq!(bar(&worker(5.0, 2.0, 1.0), 10.0), [0.5, 0.2, 0.1, 0.2]);
        assert_eq!(bar(&worker(7.5, 6.0, 0.0), 10.0), [0.75, 0.25, 0.0, 0.0]);
        assert_eq!(bar(&worker(0.0, 0.0, 0.0), 0.0), [0.0, 0.0, 0.0, 1.0]);
    }
}
