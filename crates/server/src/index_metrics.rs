//! What a person can see of the photo index: read from it whenever Prometheus asks.

use std::fmt;
use std::sync::Arc;

use headwater_pipeline::PhotoIndex;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

/// The index of a server.
#[derive(Debug)]
pub(crate) struct IndexMetrics(pub(crate) Arc<PhotoIndex>);

impl Collector for IndexMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let counts = self.0.counts();
        for (name, help, count) in [
            ("index_hits", "Photos found in the index, or found to be unindexable", counts.hits),
            ("index_misses", "Photos not in the index", counts.misses),
            ("index_corrupt", "Broken frames, removed to be made again", counts.corrupt),
            ("index_kept", "Photos put into the index", counts.kept),
            ("index_full", "Photos not put into the index since it is full", counts.full),
            ("index_errors", "Calls that the index's disk refused", self.0.errors()),
        ] {
            let counter = ConstCounter::new(count);
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        let help = "Photos that are served from their source, by reason";
        let mut family = encoder.encode_descriptor("index_unindexable", help, None, MetricType::Counter)?;
        for (reason, count) in self.0.unindexable() {
            ConstCounter::new(count).encode(family.encode_family(&[("reason", reason.as_str())])?)?;
        }
        for (name, help, bytes) in [
            ("index_disk", "Disk that the index takes", self.0.usage()),
            ("index_limit", "Disk that the index may take", self.0.limit()),
        ] {
            let gauge = ConstGauge::new(i64::try_from(bytes.get()).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, Some(&Unit::Bytes), gauge.metric_type())?)?;
        }
        Ok(())
    }
}
