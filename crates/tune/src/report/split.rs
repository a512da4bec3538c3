//! Where a network was split, as summaries say it.

use std::collections::BTreeMap;
use std::fmt;

use headwater_extraction::SplitTravelled;
use headwater_pilot::SplitChange;
use headwater_types::shown;
use serde::Serialize;

/// Where a network was split.
#[derive(Clone, Debug, Serialize)]
pub(super) struct SplitSummary {
    /// Samples by the cut from which they came.
    cuts: BTreeMap<String, u64>,
    /// Every change of cut.
    changes: Vec<SplitChange>,
    /// Cuts of the profile that cannot be served, because their tensors are not float32.
    left_out: usize,
}

impl From<SplitTravelled> for SplitSummary {
    fn from(SplitTravelled { cuts, changes, left_out }: SplitTravelled) -> Self {
        Self { cuts, changes, left_out }
    }
}

impl fmt::Display for SplitSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.cuts.is_empty() {
            return f.write_str("nowhere: no sample came");
        }
        let cuts = self.cuts.iter().map(|(cut, samples)| format!("{samples} at {cut}"));
        f.write_str(&shown::listed(cuts, "and"))?;
        match self.changes.len() {
            0 => Ok(()),
            1 => f.write_str("; changed once"),
            times => write!(f, "; changed {times} times"),
        }
    }
}
