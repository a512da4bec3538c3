//! A dataset: how it stands, and how many of its samples were delivered at each cut.

use serde::Serialize;

use crate::metrics::SampleMetrics;
use crate::served::{Served, Standing};

/// A dataset.
#[derive(Debug, Serialize)]
pub(super) struct DatasetStatus {
    /// Its name
    dataset: String,
    /// The part that this server has of it, as K/N
    partition: String,
    /// `serving`, or what is done about it, or why it cannot be served
    standing: String,
    /// Samples that are served
    samples: u64,
    /// Which listing is served, counted from 1; 0 before the first
    generation: u64,
    /// Bytes read of the store for samples
    read_bytes: u64,
    /// Bytes of payloads that were given to the network
    sent_bytes: u64,
    /// Samples that were delivered, by how far they were taken
    delivered: Vec<CutStatus>,
}

/// Samples that were taken so far.
#[derive(Debug, Serialize)]
pub(super) struct CutStatus {
    /// How far
    cut: String,
    /// How many
    samples: u64,
}

// === impl DatasetStatus ===

impl DatasetStatus {
    pub(super) fn of(served: &Served, counts: &SampleMetrics) -> Self {
        let (current, (read_bytes, sent_bytes)) = (served.current(), counts.bytes());
        let delivered = counts.delivered().filter(|(_, samples)| *samples > 0);
        Self {
            dataset: served.name.to_string(),
            partition: served.part.to_string(),
            standing: match served.standing() {
                Standing::Serving => "serving".to_owned(),
                Standing::Starting(doing) => format!("starting: {doing}"),
                Standing::NotReady(reason) => format!("not ready: {reason}"),
            },
            samples: current.as_ref().map_or(0, |now| now.catalog().len() as u64),
            generation: current.as_ref().map_or(0, |now| now.number),
            read_bytes,
            sent_bytes,
            delivered: delivered.map(|(cut, samples)| CutStatus { cut: cut.to_string(), samples }).collect(),
        }
    }
}
