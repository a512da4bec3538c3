//! What a person can see of the server: counters, gauges and histograms, in Prometheus' text format.
//!
//! Every family is there from the start, with its help and its unit. A family whose values are not known before a
//! dataset is open gets them then. So a page of all metrics can be had without a dataset: [`metrics_reference`].
//! Families about samples, bytes, listings, the photo index, jobs and losses have a value for each dataset.

mod cache;
mod dataset;
mod endings;
mod failures;
mod families;
mod homes;
mod identity;
mod index;
mod ingest;
mod jobs;
mod labels;
mod logs;
mod models;
mod process;
mod samples;
mod stages;
mod training;

use std::sync::Arc;

use headwater_identity::Provider;
use headwater_pipeline::SharedCache;
use headwater_types::{ByteCount, DatasetName};
use headwater_wire::status::Refusal;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use tonic::Status;

use crate::datasets::Datasets;
use crate::homes::Share;
use crate::models::Models;

use cache::{CacheMetrics, LaterCache};
use dataset::DatasetMetrics;
use homes::{HomeMetrics, LaterShare};
use identity::IdentityMetrics;
use index::IndexMetrics;
use ingest::IngestMetrics;
use jobs::JobMetrics;
use labels::{EndingLabel, RefusalLabel};
use logs::LogMetrics;
use models::{Later, ModelMetrics};
use process::ProcessMetrics;
use samples::SampleFamilies;

pub(crate) use endings::{Ending, Endings};
pub(crate) use failures::LastFailure;
pub(crate) use process::ProcessUsage;
pub(crate) use samples::SampleMetrics;
pub(crate) use stages::StageTotal;
pub(crate) use training::{HeldTraining, TrainingMetrics};

/// Every metric of a server.
pub(crate) struct Metrics {
    registry: Registry,
    samples: SampleFamilies,
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
    /// Samples that were given up before they were sent.
    pub(crate) shed: Counter,
    refused: Family<RefusalLabel, Counter>,
    /// Photos that were put into datasets.
    pub(crate) ingest: IngestMetrics,
    /// Heads that are trained here.
    pub(crate) training: TrainingMetrics,
    models: Later,
    cache: LaterCache,
    share: LaterShare,
}

// === impl Metrics ===

impl Metrics {
    /// Every metric of a server with these datasets and without an identity provider, before anything is open.
    pub(crate) fn new(datasets: &Arc<Datasets>) -> Self {
        Self::of(datasets, None)
    }

    /// Every metric of a server with these datasets and this identity provider, before anything is open.
    pub(crate) fn of(datasets: &Arc<Datasets>, provider: Option<Arc<Provider>>) -> Self {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(ProcessMetrics));
        let own = registry.sub_registry_with_prefix("headwater");
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION")), ("commit", headwater_cli::commit())]);
        own.register("build", "The program's version, and the commit that it is built from", build);
        let metrics = Self {
            samples: SampleFamilies::register(own),
            network_in: Counter::default(),
            network_out: Counter::default(),
            connections: Gauge::default(),
            turned_away: Gauge::default(),
            endings: Endings::default(),
            streams: Gauge::default(),
            memory: Gauge::default(),
            shed: Counter::default(),
            refused: Family::default(),
            ingest: IngestMetrics::default(),
            training: TrainingMetrics::default(),
            models: Later::default(),
            cache: LaterCache::default(),
            share: LaterShare::default(),
            registry: Registry::default(),
        };
        metrics.begin_at_zero(datasets);
        metrics.register_bytes(own);
        metrics.register_connections(own);
        metrics.register_calls(own);
        metrics.ingest.register(own);
        metrics.training.register(own);
        metrics.register_collectors(own, datasets);
        own.register_collector(Box::new(IdentityMetrics(provider)));
        Self { registry, ..metrics }
    }

    /// Makes every counter of a family: a counter that appears only once it counts hides its first step from rates.
    fn begin_at_zero(&self, datasets: &Datasets) {
        for served in datasets.iter() {
            drop(self.samples.of(&served.name));
            self.ingest.begin(&served.name);
        }
        for reason in Refusal::REASONS {
            drop(self.refused.get_or_create(&RefusalLabel { reason }));
        }
        for reason in Ending::ALL.map(Ending::as_str) {
            drop(self.endings.counted.get_or_create(&EndingLabel { reason }));
        }
    }

    fn register_bytes(&self, registry: &mut Registry) {
        let counters = [
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
                     tls (its TLS handshake failed), plain (it spoke plain text to a server with TLS), idle (it had no \
                     call for --idle-timeout), ceded (it had no call, and its client most of the places, when a client \
                     with fewer came), slow (of the metrics port: its request took too long)";
        registry.register("connections_ended", help, self.endings.counted.clone());
    }

    fn register_calls(&self, registry: &mut Registry) {
        registry.register("streams", "Open fetch streams", self.streams.clone());
        let help = "Samples given up, made or in the making, where memory was short and nobody read them; made again \
                    when somebody does";
        registry.register("samples_shed", help, self.shed.clone());
        let help = "Calls that were refused whole, by reason; samples that fail in a call are samples_failed";
        registry.register("calls_refused", help, self.refused.clone());
    }

    fn register_collectors(&self, registry: &mut Registry, datasets: &Arc<Datasets>) {
        let datasets = || Arc::clone(datasets);
        registry.register_collector(Box::new(LogMetrics));
        registry.register_collector(Box::new(DatasetMetrics(datasets())));
        registry.register_collector(Box::new(ModelMetrics(Arc::clone(&self.models))));
        registry.register_collector(Box::new(CacheMetrics(Arc::clone(&self.cache))));
        registry.register_collector(Box::new(HomeMetrics(Arc::clone(&self.share))));
        registry.register_collector(Box::new(IndexMetrics(datasets())));
        registry.register_collector(Box::new(JobMetrics(datasets())));
    }

    /// Tells of these models from now on. Only the first call counts.
    pub(crate) fn tell_of(&self, models: &Arc<Models>) {
        if self.models.set(Arc::clone(models)).is_err() {
            tracing::debug!("metrics tell of models already");
        }
    }

    /// Tells of this cache from now on. Only the first call counts.
    pub(crate) fn tell_of_cache(&self, cache: &Arc<SharedCache>) {
        self.cache.get_or_init(|| Arc::clone(cache));
    }

    /// Tells of those with which the store is shared from now on. Only the first call counts.
    pub(crate) fn tell_of_share(&self, share: &Arc<Share>) {
        self.share.get_or_init(|| Arc::clone(share));
    }

    /// What counts the samples of a dataset.
    pub(crate) fn samples(&self, dataset: &DatasetName) -> SampleMetrics {
        self.samples.of(dataset)
    }

    /// What has passed each stage so far, of all datasets.
    pub(crate) fn stages(&self) -> Vec<StageTotal> {
        self.samples.stages()
    }

    /// The samples that failed last, of all datasets, the latest first.
    pub(crate) fn last_failures(&self) -> Vec<LastFailure> {
        self.samples.last_failures()
    }

    /// Calls that were refused, by reason.
    pub(crate) fn refusals(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let count = |reason| self.refused.get_or_create(&RefusalLabel { reason }).get();
        Refusal::REASONS.into_iter().map(move |reason| (reason, count(reason)))
    }

    /// Counts a refusal on its way to the caller.
    pub(crate) fn refuse(&self, refusal: impl Into<Refusal>) -> Status {
        let refusal = refusal.into();
        self.refused.get_or_create(&RefusalLabel { reason: refusal.reason() }).inc();
        refusal.into()
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
    Metrics::new(&Arc::default()).encode(ByteCount::default())
}

#[cfg(test)]
mod tests;
