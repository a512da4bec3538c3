//! How old the weights were that workers of an `async` run began with.

use std::collections::BTreeMap;

use super::limits::SHOWN_WORKERS;
use super::run::TrainingRun;
use crate::chart::{Axis, Spread, spreads};
use crate::number::number;

/// A range for each worker; in words where nothing has arrived.
pub(crate) fn plot(run: &TrainingRun) -> String {
    let arrived = run.workers.iter().take(SHOWN_WORKERS).filter(|worker| !worker.staleness.is_empty());
    let of = arrived.map(|worker| Spread {
        name: worker.name.clone(),
        low: percentile(&worker.staleness, 0.05),
        middle: percentile(&worker.staleness, 0.5),
        high: percentile(&worker.staleness, 0.95),
    });
    let all: Vec<_> = of.collect();
    if all.is_empty() {
        return "<p>No exchange has arrived.</p>".to_owned();
    }
    spreads(Axis { label: "versions", logarithmic: false, format: number }, &all)
}

/// The value below which this part of all lies.
fn percentile(counts: &BTreeMap<u64, u64>, part: f64) -> f64 {
    let all: u64 = counts.values().sum();
    let wanted = part * all as f64;
    let mut passed = 0.0;
    for (value, count) in counts {
        passed += *count as f64;
        if passed >= wanted {
            return *value as f64;
        }
    }
    0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_all_arrivals() {
        let counts = BTreeMap::from([(0, 10), (1, 80), (7, 10)]);
        assert_eq!([0.05, 0.5, 0.95].map(|part| percentile(&counts, part)), [0.0, 1.0, 7.0]);
    }
}
