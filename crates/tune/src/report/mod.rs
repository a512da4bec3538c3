//! What was done, for programs (JSON) and for people (a table).

mod extract;
mod fine_tune;
mod table;

use std::collections::BTreeMap;

use headwater_pilot::Replan;
use headwater_plan::Way;
use headwater_types::FailureKind;

pub(crate) use extract::ExtractSummary;
pub(crate) use fine_tune::FineTuneSummary;
pub(crate) use fine_tune::SavedModel;

/// Failures by the name of their kind.
type Failures = BTreeMap<&'static str, u64>;

fn failures(by_kind: &BTreeMap<FailureKind, u64>) -> Failures {
    by_kind.iter().map(|(kind, count)| (kind.as_str(), *count)).collect()
}

/// `3 malformed, 1 not-found`.
fn failures_in_words(failures: &Failures) -> String {
    if failures.is_empty() {
        return "none".to_owned();
    }
    failures.iter().map(|(kind, count)| format!("{count} {kind}")).collect::<Vec<_>>().join(", ")
}

/// Samples by the name of the way in which they came.
type Ways = BTreeMap<String, u64>;

fn ways(by_way: &BTreeMap<Way, u64>) -> Ways {
    by_way.iter().map(|(way, count)| (way.to_string(), *count)).collect()
}

/// `300 encoded, 700 features`, and how often the plan changed.
fn ways_in_words(ways: &Ways, replans: &[Replan]) -> String {
    let mut words: Vec<_> = ways.iter().map(|(way, count)| format!("{count} {way}")).collect();
    let moved = replans.iter().filter(|replan| replan.moved > 0).count();
    if moved > 0 {
        words.push(format!("the plan changed {moved} times"));
    }
    if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
}

/// So many in so many seconds, as a rate; 0 where no time passed.
fn rate(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
}
