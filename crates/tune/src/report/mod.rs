//! What was done, for programs (JSON) and for people (a table).

mod extract;
mod fine_tune;
mod ingest;
mod labels;
mod models;
mod partition;
mod push;
mod pushed;
mod relabel;
mod rounds;
mod split;
mod status;
mod table;
mod travel;

use std::collections::BTreeMap;

use headwater_pilot::{Appraisal, Replan};
use headwater_types::Way;

pub(crate) use extract::ExtractSummary;
pub(crate) use fine_tune::FineTuneSummary;
pub(crate) use ingest::{IngestSummary, IngestedPhoto};
pub(crate) use labels::{CountSummary, ExportSummary, LabelsSummary, PhotosSummary};
pub(crate) use models::ModelsSummary;
pub(crate) use partition::PartitionSummary;
pub(crate) use push::{PushSummary, RollbackSummary};
pub(crate) use pushed::Pushed;
pub(crate) use relabel::{RelabelSummary, ServerLabelling};
pub(crate) use rounds::RoundsSummary;
pub(crate) use status::{FleetStatus, Rates};
pub(crate) use travel::TravelSummary;

/// Samples by the name of the way in which they came.
type Ways = BTreeMap<String, u64>;

fn ways(by_way: &BTreeMap<Way, u64>) -> Ways {
    by_way.iter().map(|(way, count)| (way.to_string(), *count)).collect()
}

/// `300 encoded, 700 features`, why there was no plan, and how often it changed.
fn ways_in_words(ways: &Ways, replans: &[Replan], auto: Option<&Appraisal>) -> String {
    let mut words: Vec<_> = ways.iter().map(|(way, count)| format!("{count} {way}")).collect();
    words.extend(auto.and_then(Appraisal::reason).map(|reason| format!("{reason} (see --profile-seconds)")));
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
