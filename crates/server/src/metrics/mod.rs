//! What a person can see of the server: counters, gauges and histograms, in Prometheus' text format.
//!
//! Every family is there from the start, with its help and its unit. A family whose values are not known before the
//! dataset is open gets them then. So a page of all metrics can be had without a dataset: [`metrics_reference`].

mod dataset;
mod endings;
mod families;
mod importance;
mod index;
mod labels;
mod logs;
mod models;
mod opened;
mod process;
mod stages;

use std::sync::Arc;

use headwater_pipeline::Prepared;
use headwater_types::{ByteCount, Cut, FailureKind};
use headwater_wire::status::Refusal;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use tonic::Status;

use crate::batch::Batch;

use dataset::DatasetMetrics;
use importance::ImportanceMetrics;
use index::IndexMetrics;
use labels::{CutLabel, EndingLabel, FailureLabel, Label, RefusalLabel};
use logs::LogMetrics;
use models::ModelMetrics;
use opened::Later;
use process::ProcessMetrics;
use stages::Stages;

pub(crate) use endings::{Ending, Endings};
pub(crate) use opened::Opened;

/// Every metric of a server.
pub(crate) struct Metrics {
    registry: Registry,
    stages: Stages,
    delivered: Family<CutLabel, Counter>,
    failed: Family<FailureLabel, Counter>,
    stored: Counter,
    payload: Counter,
    /// Bytes received on all connections.
    pub(crate) network_in: Counter,
    /// Bytes sent on all connections.
    pub(crate) network_out: Counter,
    /// Open connections that have a place.
    pub(crate) connections: Gauge,
    /// Open connections that are told that there is no place for them.
    pub(crate) turned_away: Gauge,
    /// Connections that the server ended.
    pub(crate) endings: Endings,
    /// Open fetch streams.
    pub(crate) streams: Gauge,
    memory: Gauge,
    batch_sizes: Histogram,
    /// Samples that were given up before they were sent.
    pub(crate) shed: Counter,
    refused: Family<RefusalLabel, Counter>,
    opened: Later,
}

// === impl Metrics ===

impl Metrics {
    /// Every metric, before anything is open.
    pub(crate) fn new() -> Self {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(ProcessMetrics));
        let own = registry.sub_registry_with_prefix("headwater");
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION")), ("commit", headwater_cli::commit())]);
        own.register("build", "The program's version, and the commit that it is built from", build);
        let metrics = Self {
            stages: Stages::register(own),
            delivered: Family::default(),
            failed: Family::default(),
            stored: Counter::default(),
            payload: Counter::default(),
            network_in: Counter::default(),
            network_out: Counter::default(),
            connections: Gauge::default(),
            turned_away: Gauge::default(),
            endings: Endings::default(),
            streams: Gauge::default(),
            memory: Gauge::default(),
            batch_sizes: Histogram::new(exponential_buckets(1.0, 2.0, 11)),
            shed: Counter::default(),
            refused: Family::default(),
            opened: Later::default(),
            registry: Registry::default(),
        };
        metrics.begin_at_zero();
        metrics.register_samples(own);
        metrics.register_connections(own);
        metrics.register_calls(own);
        metrics.register_collectors(own);
        Self { registry, ..metrics }
    }

    /// Makes every counter of a family: a counter that appears only once it counts hides its first step from rates.
    fn begin_at_zero(&self) {
        for cut in Cut::ALL {
            drop(self.delivered.get_or_create(&CutLabel { cut: Label(cut) }));
        }
        for kind in FailureKind::ALL {
            drop(self.failed.get_or_create(&FailureLabel { kind: Label(kind) }));
        }
        for reason in Refusal::REASONS {
            drop(self.refused.get_or_create(&RefusalLabel { reason }));
        }
        for reason in Ending::ALL.map(Ending::as_str) {
            drop(self.endings.counted.get_or_create(&EndingLabel { reason }));
        }
    }

    fn register_samples(&self, registry: &mut Registry) {
        registry.register("samples_delivered", "Samples delivered, by cut", self.delivered.clone());
        registry.register("samples_failed", "Samples not delivered, by reason", self.failed.clone());
        let counters = [
            ("stored_read", "Read from the store", &self.stored),
            ("payload_sent", "Payloads given to the network", &self.payload),
            ("network_in", "Received on all connections", &self.network_in),
            ("network_out", "Sent on all connections", &self.network_out),
        ];
        for (name, help, counter) in counters {
            registry.register_with_unit(name, help, Unit::Bytes, counter.clone());
        }
        let help = "Memory of samples in flight";
        registry.register_with_unit("memory_granted", help, Unit::Bytes, self.memory.clone());
    }

    fn register_connections(&self, registry: &mut Registry) {
        registry.register("connections", "Open connections, of at most --max-connections", self.connections.clone());
        let help = "Open connections that are told that all of --max-connections are in use";
        registry.register("connections_turned_away", help, self.turned_away.clone());
        let help = "Connections that the server ended, by reason: full (all of --max-connections were in use, and it \
                    was told so), handshake (it had not said within --handshake-timeout that it speaks HTTP/2), \
                    displaced (it had not either when too many others came), not-http2 (it speaks something else), \
                    idle (it had no call for --idle-timeout), slow (of the metrics port: its request took too long)";
        registry.register("connections_ended", help, self.endings.counted.clone());
    }

    fn register_calls(&self, registry: &mut Registry) {
        registry.register("streams", "Open fetch streams", self.streams.clone());
        registry.register("wire_batch_samples", "Samples in a batch on the wire", self.batch_sizes.clone());
        let help = "Samples given up, made or in the making, where memory was short and nobody read them; made again \
                    when somebody does";
        registry.register("samples_shed", help, self.shed.clone());
        let help = "Calls that were refused whole, by reason; samples that fail in a call are samples_failed";
        registry.register("calls_refused", help, self.refused.clone());
    }

    fn register_collectors(&self, registry: &mut Registry) {
        registry.register_collector(Box::new(LogMetrics));
        let opened = || Arc::clone(&self.opened);
        registry.register_collector(Box::new(DatasetMetrics(opened())));
        registry.register_collector(Box::new(ModelMetrics(opened())));
        registry.register_collector(Box::new(IndexMetrics(opened())));
        registry.register_collector(Box::new(ImportanceMetrics(opened())));
    }

    /// Tells of this dataset from now on. Only the first call counts.
    pub(crate) fn tell_of(&self, opened: Opened) {
        if self.opened.set(opened).is_err() {
            tracing::debug!("metrics tell of a dataset already");
        }
    }

    /// Counts a refusal on its way to the caller.
    pub(crate) fn refuse(&self, refusal: impl Into<Refusal>) -> Status {
        let refusal = refusal.into();
        self.refused.get_or_create(&RefusalLabel { reason: refusal.reason() }).inc();
        refusal.into()
    }

    /// Counts a sample that has come to its end in the pipeline.
    pub(crate) fn prepared(&self, sample: &Prepared) {
        self.stages.passed(&sample.times);
        self.stored.inc_by(sample.stored.get());
        if let Err(failure) = &sample.outcome {
            self.failed.get_or_create(&FailureLabel { kind: Label(failure.kind) }).inc();
        }
    }

    /// Counts a batch that the network has taken.
    pub(crate) fn sent(&self, batch: &Batch) {
        self.stages.sent(batch.closed().elapsed());
        self.batch_sizes.observe(batch.len() as f64);
        for &(cut, bytes) in batch.delivered() {
            self.delivered.get_or_create(&CutLabel { cut: Label(cut) }).inc();
            self.payload.inc_by(bytes as u64);
        }
    }

    /// The text that Prometheus reads.
    pub(crate) fn encode(&self, memory: ByteCount) -> Result<String, std::fmt::Error> {
        self.memory.set(i64::try_from(memory.get()).unwrap_or(i64::MAX));
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// Every metric of a server that has not opened anything yet: names, types, units and help, as Prometheus reads them.
///
/// # Errors
/// None in practice: text is written to memory.
pub fn metrics_reference() -> Result<String, std::fmt::Error> {
    Metrics::new().encode(ByteCount::default())
}

#[cfg(test)]
mod tests;
