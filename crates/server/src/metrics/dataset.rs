//! What a person can see of the datasets that are served, as they were listed last.

use std::fmt;
use std::sync::Arc;

use headwater_store::{Catalog, Skip};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::registry::Unit;

use super::families::Families;
use crate::datasets::Datasets;
use crate::generation::Generation;

/// The partitions of a server.
#[derive(Debug)]
pub(super) struct DatasetMetrics(pub(super) Arc<Datasets>);

impl Collector for DatasetMetrics {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let current: Vec<_> =
            self.0.iter().filter_map(|served| Some((served.name.to_string(), served.current()?))).collect();
        let number = |of: fn(&Catalog) -> u64| {
            let value =
                move |(name, now): &(String, Arc<Generation>)| ([("dataset", name.clone())], of(now.catalog()) as f64);
            current.iter().map(value)
        };
        let mut families = Families(encoder);
        let info =
            current.iter().map(|(name, now)| ([("dataset", name.clone()), ("digest", now.digest().to_string())], 1.0));
        let help = "What is served: its name, and the digest of its listing";
        families.gauges("dataset_info", help, None, info)?;
        let samples = number(|catalog| catalog.len() as u64);
        families.gauges("dataset_samples", "Samples that are served", None, samples)?;
        let help = "Classes of the whole dataset, whatever part of it is served";
        families.gauges("dataset_classes", help, None, number(|catalog| catalog.classes().len() as u64))?;
        let help = "Stored bytes of the samples that are served";
        let stored = number(|catalog| catalog.bytes_total().get());
        families.gauges("dataset_stored", help, Some(&Unit::Bytes), stored)?;
        let left_out = current.iter().flat_map(|(name, now)| {
            Skip::ALL.map(|reason| {
                let labels = [("dataset", name.clone()), ("reason", reason.as_str().to_owned())];
                (labels, now.catalog().skipped().count(reason) as f64)
            })
        });
        let help = "Files and folders that the listing found and left out, by reason; the log names the first of each";
        families.gauges("dataset_left_out", help, None, left_out)
    }
}
