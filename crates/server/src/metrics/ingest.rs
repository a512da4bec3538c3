//! Photos that were put into datasets.

use headwater_types::{ByteCount, DatasetName};
use headwater_wire::ingest::Ingested;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::{Registry, Unit};

use super::labels::DatasetLabel;

/// Counts photos by what came of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct IngestMetrics {
    photos: Family<OutcomeLabel, Counter>,
    bytes: Family<DatasetLabel, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    dataset: String,
    outcome: &'static str,
}

const TAKEN: &str = "taken";
const DUPLICATE: &str = "duplicate";
const REFUSED: &str = "refused";

// === impl IngestMetrics ===

impl IngestMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Photos that came to be put into a dataset, by outcome: taken, duplicate (the dataset had its bytes \
                    already), refused (it is no photo that the dataset could have)";
        registry.register("ingest_photos", help, self.photos.clone());
        let help = "Photos that were taken into a dataset";
        registry.register_with_unit("ingest_taken", help, Unit::Bytes, self.bytes.clone());
    }

    /// Begins to count at zero for a dataset.
    pub(super) fn begin(&self, dataset: &DatasetName) {
        for outcome in [TAKEN, DUPLICATE, REFUSED] {
            drop(self.photos.get_or_create(&OutcomeLabel { dataset: dataset.to_string(), outcome }));
        }
        drop(self.bytes.get_or_create(&DatasetLabel { dataset: dataset.to_string() }));
    }

    /// Counts a photo of this length.
    pub(crate) fn count(&self, dataset: &DatasetName, ingested: &Ingested, length: ByteCount) {
        let outcome = match ingested {
            Ingested::Taken { duplicate: false, .. } => TAKEN,
            Ingested::Taken { duplicate: true, .. } => DUPLICATE,
            Ingested::Refused(_) => REFUSED,
        };
        let dataset = dataset.to_string();
        if outcome == TAKEN {
            self.bytes.get_or_create(&DatasetLabel { dataset: dataset.clone() }).inc_by(length.get());
        }
        self.photos.get_or_create(&OutcomeLabel { dataset, outcome }).inc();
    }
}
