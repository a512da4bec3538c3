//! How samples came over the wire.

use headwater_extraction::Travelled;
use headwater_pilot::{Appraisal, Replan};
use headwater_types::{ByteCount, shown};
use serde::Serialize;

use super::split::SplitSummary;
use super::table::Table;
use super::{Ways, ways, ways_in_words};

/// How samples came over the wire.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct TravelSummary {
    bytes_received: u64,
    /// Samples that came at each way this time.
    ways: Ways,
    /// Every change of plan.
    replans: Vec<Replan>,
    /// What `--plan auto` made of the job before it began; null without it.
    auto: Option<Appraisal>,
    /// Where the network was split; null where it was not.
    split: Option<SplitSummary>,
}

// === impl TravelSummary ===

impl TravelSummary {
    pub(crate) fn new(received: ByteCount, travelled: Travelled) -> Self {
        Self {
            bytes_received: received.get(),
            ways: ways(&travelled.ways),
            replans: travelled.replans,
            auto: travelled.appraisal,
            split: travelled.split.map(Into::into),
        }
    }

    /// Adds its lines to a table.
    pub(super) fn lines(&self, table: &mut Table) {
        table
            .line("over the wire", shown::bytes(self.bytes_received))
            .line("came as", ways_in_words(&self.ways, &self.replans, self.auto.as_ref()));
        if let Some(split) = &self.split {
            table.line("network split", split);
        }
    }
}
