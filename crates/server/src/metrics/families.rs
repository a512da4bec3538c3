//! Families of metrics whose values are read from their source whenever Prometheus asks.

use std::fmt::Error;

use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

/// Writes one family after the other.
pub(super) struct Families<'a>(pub(super) DescriptorEncoder<'a>);

// === impl Families ===

impl Families<'_> {
    /// Writes counters that differ by labels; only their name and help, where there is nothing to count yet.
    pub(super) fn counters<'l, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        counts: impl IntoIterator<Item = ([(&'l str, String); N], u64)>,
    ) -> Result<(), Error> {
        self.counters_of(name, help, None, counts)
    }

    /// As [`Self::counters`], of a unit.
    pub(super) fn counters_of<'l, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        counts: impl IntoIterator<Item = ([(&'l str, String); N], u64)>,
    ) -> Result<(), Error> {
        let mut family = self.0.encode_descriptor(name, help, unit, MetricType::Counter)?;
        for (labels, count) in counts {
            ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    /// Writes histograms that differ by labels: of each the sum, and the count of each bucket with its end.
    pub(super) fn histograms<'l, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        unit: &Unit,
        values: impl IntoIterator<Item = ([(&'l str, String); N], f64, Vec<(f64, u64)>)>,
    ) -> Result<(), Error> {
        let mut family = self.0.encode_descriptor(name, help, Some(unit), MetricType::Histogram)?;
        for (labels, sum, buckets) in values {
            let count = buckets.iter().map(|(_, count)| count).sum();
            family.encode_family(&labels)?.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)?;
        }
        Ok(())
    }

    /// Writes a counter; only its name and help, where there is nothing to count yet.
    pub(super) fn counter(&mut self, name: &str, help: &str, count: Option<u64>) -> Result<(), Error> {
        let encoder = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        count.map_or(Ok(()), |count| ConstCounter::new(count).encode(encoder))
    }

    /// Writes a gauge; only its name and help, where there is no value yet.
    pub(super) fn gauge(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        value: Option<f64>,
    ) -> Result<(), Error> {
        let encoder = self.0.encode_descriptor(name, help, unit, MetricType::Gauge)?;
        value.map_or(Ok(()), |value| ConstGauge::new(value).encode(encoder))
    }

    /// Writes gauges that differ by labels.
    pub(super) fn gauges<'l, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        values: impl IntoIterator<Item = ([(&'l str, String); N], f64)>,
    ) -> Result<(), Error> {
        let mut family = self.0.encode_descriptor(name, help, unit, MetricType::Gauge)?;
        for (labels, value) in values {
            ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
