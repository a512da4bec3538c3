//! What was done, for programs (JSON) and for people (a table).

mod extract;
mod fine_tune;
mod table;

use std::collections::BTreeMap;

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

/// So many in so many seconds, as a rate; 0 where no time passed.
fn rate(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
}
