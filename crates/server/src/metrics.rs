//! What a person can see of the server: counters and histograms, in Prometheus' text format.

use std::sync::Arc;
use std::time::Duration;

use headwater_pipeline::{PhotoIndex, Prepared, StageTimes};
use headwater_types::{ByteCount, Cut, FailureKind};
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::importance::{Importance, ImportanceMetrics};
use crate::index_metrics::IndexMetrics;

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
    /// Open connections.
    pub(crate) connections: Gauge,
    /// Open fetch streams.
    pub(crate) streams: Gauge,
    memory: Gauge,
    batch_sizes: Histogram,
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

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StageLabel {
    stage: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CutLabel {
    cut: Label<Cut>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FailureLabel {
    kind: Label<FailureKind>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Label<T>(T);

impl<T: std::fmt::Display> EncodeLabelValue for Label<T>
where
    T: std::fmt::Debug,
{
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        use std::fmt::Write;
        write!(encoder, "{}", self.0)
    }
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
    /// All of them from the start; those of the photo index, where there is one.
    pub(crate) fn new(index: Option<&Arc<PhotoIndex>>, importance: &Arc<Importance>) -> Self {
        let mut registry = Registry::with_prefix("headwater");
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
            streams: Gauge::default(),
            memory: Gauge::default(),
            batch_sizes: Histogram::new(exponential_buckets(1.0, 2.0, 11)),
            registry: Registry::default(),
        };
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
        registry.register("connections", "Open connections", metrics.connections.clone());
        registry.register("streams", "Open fetch streams", metrics.streams.clone());
        registry.register("wire_batch_samples", "Samples in a batch on the wire", metrics.batch_sizes.clone());
        registry.register_collector(Box::new(ImportanceMetrics(Arc::clone(importance))));
        if let Some(index) = index {
            registry.register_collector(Box::new(IndexMetrics(Arc::clone(index))));
        }
        Self { registry, ..metrics }
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
        match &sample.outcome {
            Ok(finished) => {
                self.delivered.get_or_create(&CutLabel { cut: Label(finished.parts.cut) }).inc();
                self.payload.inc_by(finished.parts.bytes.len() as u64);
            }
            Err(failure) => {
                self.failed.get_or_create(&FailureLabel { kind: Label(failure.kind) }).inc();
            }
        }
    }

    /// A batch of so many samples waited so long for the network to take it.
    pub(crate) fn sent(&self, samples: usize, waited: Duration) {
        self.stages[Stage::Send as usize].observe(waited.as_secs_f64());
        self.batch_sizes.observe(samples as f64);
    }

    /// The text that Prometheus reads.
    pub(crate) fn encode(&self, memory: ByteCount) -> Result<String, std::fmt::Error> {
        self.memory.set(i64::try_from(memory.get()).unwrap_or(i64::MAX));
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use headwater_image::Unindexable;
    use headwater_pipeline::{Kept, Lookup};
    use headwater_store::Version;
    use headwater_types::{Digest, ImageLimits};

    use super::*;

    #[test]
    fn every_stage_is_there_from_the_start() {
        let metrics = Metrics::new(None, &Arc::new(Importance::new(0)));
        metrics.sent(3, Duration::from_millis(1));
        let text = metrics.encode(ByteCount::new(5)).unwrap();
        for stage in Stage::ALL {
            let line = format!("headwater_stage_seconds_count{{stage=\"{}\"}}", stage.as_str());
            assert!(text.contains(&line), "{line} in {text}");
        }
        assert!(text.contains("headwater_memory_granted_bytes 5"), "{text}");
        assert!(!text.contains("index"), "{text}");
    }

    #[test]
    fn the_photo_index_tells_of_itself_where_there_is_one() {
        let folder = tempfile::TempDir::new().unwrap();
        let (key, version) = ("cat/1.jpg".parse().unwrap(), Version::of_file(9, 1, 2));
        let (limit, limits) = (ByteCount::new(8192), ImageLimits::default());
        let index = PhotoIndex::open(&folder.path().join("index"), limit, Digest::of(b"here"), limits).unwrap();
        assert_eq!(index.find(&key, version), Lookup::Absent);
        assert_eq!(index.keep(&key, version, Err(Unindexable::Cmyk)), Kept::Done);
        assert_eq!(index.find(&key, version), Lookup::Unindexable(Unindexable::Cmyk));
        let text =
            Metrics::new(Some(&Arc::new(index)), &Arc::new(Importance::new(0))).encode(ByteCount::default()).unwrap();
        for line in [
            "headwater_index_hits_total 1",
            "headwater_index_misses_total 1",
            "headwater_index_kept_total 1",
            "headwater_index_corrupt_total 0",
            "headwater_index_full_total 0",
            "headwater_index_errors_total 0",
            "headwater_index_unindexable_total{reason=\"cmyk\"} 2",
            "headwater_index_unindexable_total{reason=\"not-jpeg\"} 0",
            "headwater_index_disk_bytes 4096",
            "headwater_index_limit_bytes 8192",
        ] {
            assert!(text.lines().any(|each| each == line), "{line} in {text}");
        }
    }
}
