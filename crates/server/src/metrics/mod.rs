//! What a person can see of the server: counters, gauges and histograms, in Prometheus' text format.
//!
//! Every family is there from the start, with its help and its unit; what is not known before the dataset is open gets its values
//! then. So a page of all metrics can be had without a dataset: [`metrics_reference`].

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

use std::sync::Arc;

use headwater_pipeline::{Prepared, StageTimes};
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
use labels::{CutLabel, EndingLabel, FailureLabel, Label, RefusalLabel, StageLabel};
use logs::LogMetrics;
use models::ModelMetrics;
use opened::Later;
use process::ProcessMetrics;

pub(crate) use endings::{Ending, Endings};
pub(crate) use opened::Opened;

/// Every metric of a server.
pub(crate) struct Metrics {
    registry: Registry,
    stages: [Histogram; 6],
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

/// A stage of a sample's way through the server.
#[derive(Clone, Copy)]
enum Stage {
    Queue,
    Fetch,
    Decode,
    Transform,
    Infer,
    Send,
}

// === impl Stage ===

impl Stage {
    const ALL: [Self; 6] = [Self::Queue, Self::Fetch, Self::Decode, Self::Transform, Self::Infer, Self::Send];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Fetch => "fetch",
            Self::Decode => "decode",
            Self::Transform => "transform",
            Self::Infer => "infer",
            Self::Send => "send",
        }
    }
}

// === impl Metrics ===

impl Metrics {
    /// All of them, before anything is open.
    pub(crate) fn new() -> Self {
        let mut whole = Registry::default();
        whole.register_collector(Box::new(ProcessMetrics));
        let registry = whole.sub_registry_with_prefix("headwater");
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION")), ("commit", headwater_cli::commit())]);
        registry.register("build", "The program's version, and the commit that it is built from", build);
        // 20 us to 10 s in steps of 2.
        let family = Family::<StageLabel, Histogram>::new_with_constructor(|| {
            Histogram::new(exponential_buckets(2e-5, 2.0, 20))
        });
        registry.register_with_unit("stage", "Wall time of a sample in each stage", Unit::Seconds, family.clone());
        let stages = Stage::ALL.map(|stage| family.get_or_create_owned(&StageLabel { stage: stage.as_str() }));
        let metrics = Self {
            stages,
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
        // A counter that appears only once it counts hides its first step from whoever looks at rates.
        Cut::ALL.iter().for_each(|&cut| drop(metrics.delivered.get_or_create(&CutLabel { cut: Label(cut) })));
        let failed = |kind| drop(metrics.failed.get_or_create(&FailureLabel { kind: Label(kind) }));
        FailureKind::ALL.into_iter().for_each(failed);
        let refused = |reason| drop(metrics.refused.get_or_create(&RefusalLabel { reason }));
        Refusal::REASONS.into_iter().for_each(refused);
        let ended = |reason| drop(metrics.endings.counted.get_or_create(&EndingLabel { reason }));
        Ending::ALL.into_iter().map(Ending::as_str).for_each(ended);
        registry.register("samples_delivered", "Samples delivered, by cut", metrics.delivered.clone());
        registry.register("samples_failed", "Samples not delivered, by reason", metrics.failed.clone());
        let bytes = Unit::Bytes;
        registry.register_with_unit("stored_read", "Read from the store", bytes.clone(), metrics.stored.clone());
        registry.register_with_unit(
            "payload_sent",
            "Payloads given to the network",
            bytes.clone(),
            metrics.payload.clone(),
        );
        registry.register_with_unit(
            "network_in",
            "Received on all connections",
            bytes.clone(),
            metrics.network_in.clone(),
        );
        registry.register_with_unit(
            "network_out",
            "Sent on all connections",
            bytes.clone(),
            metrics.network_out.clone(),
        );
        registry.register_with_unit("memory_granted", "Memory of samples in flight", bytes, metrics.memory.clone());
        registry.register("connections", "Open connections, of at most --max-connections", metrics.connections.clone());
        let help = "Open connections that are told that all of --max-connections are in use";
        registry.register("connections_turned_away", help, metrics.turned_away.clone());
        let help = "Connections that the server ended, by reason: full (all of --max-connections were in use, and it was told so), \
                    handshake (it had not said within --handshake-timeout that it speaks HTTP/2), displaced (it had not either when too \
                    many others came), not-http2 (it speaks something else), idle (it had no call for --idle-timeout), slow (of the metrics port: its request took too long)";
        registry.register("connections_ended", help, metrics.endings.counted.clone());
        registry.register("streams", "Open fetch streams", metrics.streams.clone());
        registry.register("wire_batch_samples", "Samples in a batch on the wire", metrics.batch_sizes.clone());
        let help = "Samples given up, made or in the making, where memory was short and nobody read them; made again when somebody does";
        registry.register("samples_shed", help, metrics.shed.clone());
        let help = "Calls that were refused whole, by reason; samples that fail in a call are samples_failed";
        registry.register("calls_refused", help, metrics.refused.clone());
        registry.register_collector(Box::new(LogMetrics));
        let opened = || Arc::clone(&metrics.opened);
        registry.register_collector(Box::new(DatasetMetrics(opened())));
        registry.register_collector(Box::new(ModelMetrics(opened())));
        registry.register_collector(Box::new(IndexMetrics(opened())));
        registry.register_collector(Box::new(ImportanceMetrics(opened())));
        Self { registry: whole, ..metrics }
    }

    /// Tells of this from now on; the first that is given counts.
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

    /// A sample has come to its end in the pipeline.
    pub(crate) fn prepared(&self, sample: &Prepared) {
        let StageTimes { queue, fetch, decode, transform, infer, cpu: _ } = sample.times;
        for (stage, time) in [
            (Stage::Queue, queue),
            (Stage::Fetch, fetch),
            (Stage::Decode, decode),
            (Stage::Transform, transform),
            (Stage::Infer, infer),
        ] {
            // A stage that a sample did not go through is not a stage of zero seconds.
            if !time.is_zero() {
                self.stages[stage as usize].observe(time.as_secs_f64());
            }
        }
        self.stored.inc_by(sample.stored.get());
        if let Err(failure) = &sample.outcome {
            self.failed.get_or_create(&FailureLabel { kind: Label(failure.kind) }).inc();
        }
    }

    /// The network has taken a batch.
    pub(crate) fn sent(&self, batch: &Batch) {
        self.stages[Stage::Send as usize].observe(batch.closed().elapsed().as_secs_f64());
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
