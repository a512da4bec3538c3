//! What a person can see of the losses that trainers report.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

use super::families::Families;
use super::opened::Later;
use crate::importance::Importance;

/// The losses of a server's samples.
#[derive(Debug)]
pub(super) struct ImportanceMetrics(pub(super) Later);

impl Collector for ImportanceMetrics {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let importance = self.0.get().map(|opened| &*opened.importance);
        let mut families = Families(encoder);
        let help = "Losses of samples that trainers have reported";
        families.counter("losses_reported", help, importance.map(Importance::reports))?;
        let known = importance.map(|importance| importance.known() as f64);
        families.gauge("loss_samples", "Samples of which a loss is known", None, known)?;
        let help = "Mean of the samples' latest losses";
        families.gauge("loss_mean", help, None, importance.map(Importance::mean))
    }
}
