//! What a person can see of the samples of each dataset: how many came to their end, how, and how fast.

use std::sync::Arc;

use headwater_pipeline::Prepared;
use headwater_types::{Cut, DatasetName, FailureKind};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::failures::{LastFailure, LastFailures};
use super::labels::{CutLabel, DatasetLabel, FailureLabel, Label};
use super::stages::{StageTotal, Stages};
use crate::batch::Batch;

/// The families about samples.
pub(super) struct SampleFamilies {
    stages: Stages,
    batch_sizes: Histogram,
    delivered: Family<CutLabel, Counter>,
    failed: Family<FailureLabel, Counter>,
    stored: Family<DatasetLabel, Counter>,
    payload: Family<DatasetLabel, Counter>,
    last: Arc<LastFailures>,
}

/// Counts the samples of one dataset.
#[derive(Clone)]
pub(crate) struct SampleMetrics {
    dataset: DatasetName,
    stages: Stages,
    batch_sizes: Histogram,
    /// In step with [`Cut::ALL`].
    delivered: Vec<Counter>,
    /// In step with [`FailureKind::ALL`].
    failed: Vec<Counter>,
    stored: Counter,
    payload: Counter,
    last: Arc<LastFailures>,
}

// === impl SampleFamilies ===

impl SampleFamilies {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let families = Self {
            stages: Stages::register(registry),
            batch_sizes: Histogram::new(exponential_buckets(1.0, 2.0, 11)),
            delivered: Family::default(),
            failed: Family::default(),
            stored: Family::default(),
            payload: Family::default(),
            last: Arc::default(),
        };
        let help = "Samples delivered, by dataset and cut";
        registry.register("samples_delivered", help, families.delivered.clone());
        let help = "Samples not delivered, by dataset and reason";
        registry.register("samples_failed", help, families.failed.clone());
        let help = "Read from the store, by dataset";
        registry.register_with_unit("stored_read", help, Unit::Bytes, families.stored.clone());
        let help = "Payloads given to the network, by dataset";
        registry.register_with_unit("payload_sent", help, Unit::Bytes, families.payload.clone());
        registry.register("wire_batch_samples", "Samples in a batch on the wire", families.batch_sizes.clone());
        families
    }

    /// What counts the samples of this dataset, each counter from its start at 0.
    pub(super) fn of(&self, dataset: &DatasetName) -> SampleMetrics {
        let name = || dataset.to_string();
        let cut = |cut| CutLabel { dataset: name(), cut: Label(cut) };
        let kind = |kind| FailureLabel { dataset: name(), kind: Label(kind) };
        let label = DatasetLabel { dataset: name() };
        SampleMetrics {
            dataset: dataset.clone(),
            stages: self.stages.clone(),
            batch_sizes: self.batch_sizes.clone(),
            delivered: Cut::ALL.into_iter().map(|each| self.delivered.get_or_create_owned(&cut(each))).collect(),
            failed: FailureKind::ALL.into_iter().map(|each| self.failed.get_or_create_owned(&kind(each))).collect(),
            stored: self.stored.get_or_create_owned(&label),
            payload: self.payload.get_or_create_owned(&label),
            last: Arc::clone(&self.last),
        }
    }

    /// What has passed each stage so far, of all datasets.
    pub(super) fn stages(&self) -> Vec<StageTotal> {
        self.stages.totals()
    }

    /// The samples that failed last, of all datasets, the latest first.
    pub(super) fn last_failures(&self) -> Vec<LastFailure> {
        self.last.all()
    }
}

// === impl SampleMetrics ===

impl SampleMetrics {
    /// Counts a sample that has come to its end in the pipeline.
    pub(crate) fn prepared(&self, sample: &Prepared) {
        self.stages.passed(&sample.times);
        self.stored.inc_by(sample.stored.get());
        if let Err(failure) = &sample.outcome {
            let place = FailureKind::ALL.iter().position(|kind| *kind == failure.kind);
            place.and_then(|place| self.failed.get(place)).map(Counter::inc);
            self.last.note(&self.dataset, (sample.index, sample.key.as_ref()), failure);
        }
    }

    /// Counts a batch that the network has taken.
    pub(crate) fn sent(&self, batch: &Batch) {
        self.stages.sent(batch.len(), batch.closed().elapsed());
        self.batch_sizes.observe(batch.len() as f64);
        for &(cut, bytes) in batch.delivered() {
            let place = Cut::ALL.iter().position(|each| *each == cut);
            place.and_then(|place| self.delivered.get(place)).map(Counter::inc);
            self.payload.inc_by(bytes as u64);
        }
    }

    /// Samples that were delivered, by how far they were taken.
    pub(crate) fn delivered(&self) -> impl Iterator<Item = (Cut, u64)> {
        Cut::ALL.into_iter().zip(self.delivered.iter().map(Counter::get))
    }

    /// Samples that failed, by kind.
    pub(crate) fn failed(&self) -> impl Iterator<Item = (FailureKind, u64)> {
        FailureKind::ALL.into_iter().zip(self.failed.iter().map(Counter::get))
    }

    /// Bytes that were read from the store, and those of payloads that were given to the network.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        (self.stored.get(), self.payload.get())
    }
}
