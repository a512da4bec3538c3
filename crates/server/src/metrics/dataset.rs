//! What a person can see of the dataset that is served, as it was listed.

use std::fmt;

use headwater_store::{Catalog, Skip};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::registry::Unit;

use super::families::Families;
use super::opened::Later;

/// The partition of a server.
#[derive(Debug)]
pub(super) struct DatasetMetrics(pub(super) Later);

impl Collector for DatasetMetrics {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let catalog = self.0.get().map(|opened| &*opened.catalog);
        let number = |of: fn(&Catalog) -> u64| catalog.map(|catalog| of(catalog) as f64);
        let mut families = Families(encoder);
        let info = self.0.get().map(|opened| {
            let digest = opened.catalog.digest().to_string();
            ([("dataset", opened.dataset.to_string()), ("digest", digest)], 1.0)
        });
        families.gauges("dataset_info", "What is served: its name, and the digest of its listing", info)?;
        families.gauge("dataset_samples", "Samples that are served", None, number(|catalog| catalog.len() as u64))?;
        let help = "Classes of the whole dataset, whatever part of it is served";
        families.gauge("dataset_classes", help, None, number(|catalog| catalog.classes().len() as u64))?;
        let help = "Stored bytes of the samples that are served";
        families.gauge("dataset_stored", help, Some(&Unit::Bytes), number(|catalog| catalog.bytes_total().get()))?;
        let left_out = catalog.into_iter().flat_map(|catalog| {
            Skip::ALL.map(|reason| ([("reason", reason.as_str().to_owned())], catalog.skipped().count(reason) as f64))
        });
        let help = "Files and folders that the listing found and left out, by reason; the log names the first of each";
        families.gauges("dataset_left_out", help, left_out)
    }
}
