//! Samples and bytes, in a second and in all.

use super::run::TrainingRun;
use crate::chart::{Axis, amounts};
use crate::number::{Unit, number};

/// Samples a second, by run.
pub(crate) fn samples(runs: &[&TrainingRun]) -> String {
    let of = |run: &&TrainingRun| Some((run.name.clone(), run.samples_per_second()?));
    bars("samples a second", &runs.iter().filter_map(of).collect::<Vec<_>>())
}

/// Bytes a second, by run.
pub(crate) fn bytes_per_second(runs: &[&TrainingRun]) -> String {
    let of = |run: &&TrainingRun| Some((run.name.clone(), run.bytes_per_second()?));
    in_unit("a second", runs.iter().filter_map(of).collect())
}

/// Bytes in all, by run.
pub(crate) fn bytes(runs: &[&TrainingRun]) -> String {
    in_unit("in all", runs.iter().map(|run| (run.name.clone(), run.bytes as f64)).collect())
}

fn in_unit(of: &str, bytes: Vec<(String, f64)>) -> String {
    let unit = Unit::bytes(bytes.iter().map(|(_, bytes)| *bytes).fold(0.0, f64::max));
    let bytes: Vec<_> = bytes.into_iter().map(|(name, bytes)| (name, bytes / unit.size)).collect();
    bars(&format!("{} {of}, to workers and from them", unit.name), &bytes)
}

fn bars(label: &str, of_runs: &[(String, f64)]) -> String {
    if of_runs.is_empty() {
        return "<p>None of these runs has made a round.</p>".to_owned();
    }
    amounts(Axis { label, logarithmic: false, format: number }, of_runs)
}
