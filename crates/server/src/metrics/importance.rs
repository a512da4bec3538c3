//! What a person can see of the losses that trainers report.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

use super::families::Families;
use crate::datasets::Datasets;

/// The losses of a server's samples.
#[derive(Debug)]
pub(super) struct ImportanceMetrics(pub(super) Arc<Datasets>);

impl Collector for ImportanceMetrics {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let current: Vec<_> = self
            .0
            .iter()
            .filter_map(|served| Some(([("dataset", served.name.to_string())], served.current()?)))
            .collect();
        let mut families = Families(encoder);
        let help = "Losses of samples that trainers have reported";
        let reported = current.iter().map(|(name, now)| (name.clone(), now.importance.reports()));
        families.counters("losses_reported", help, reported)?;
        let known = current.iter().map(|(name, now)| (name.clone(), now.importance.known() as f64));
        families.gauges("loss_samples", "Samples of which a loss is known", None, known)?;
        let help = "Mean of the samples' latest losses";
        let mean = current.iter().map(|(name, now)| (name.clone(), now.importance.mean()));
        families.gauges("loss_mean", help, None, mean)
    }
}
