//! How long samples take in each stage of their way through the server.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use headwater_pipeline::StageTimes;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::labels::StageLabel;

/// Names of the stages, in order.
pub(super) const STAGES: [&str; 6] = ["queue", "fetch", "decode", "transform", "infer", "send"];

/// Each stage, in step with [`STAGES`]. Clones count the same.
#[derive(Clone)]
pub(super) struct Stages([Stage; STAGES.len()]);

#[derive(Clone)]
struct Stage {
    seconds: Histogram,
    total: Arc<Total>,
}

/// What a histogram does not give back: its sums. Here each sample of a batch counts with the time that it waited.
#[derive(Default)]
struct Total {
    samples: AtomicU64,
    nanoseconds: AtomicU64,
}

/// Samples that have passed a stage, and the time that they spent there, all together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StageTotal {
    pub(crate) stage: &'static str,
    pub(crate) samples: u64,
    pub(crate) time: Duration,
}

// === impl Stages ===

impl Stages {
    /// Histograms from 20 us to 10 s in steps of 2.
    pub(super) fn register(registry: &mut Registry) -> Self {
        let family = Family::<StageLabel, Histogram>::new_with_constructor(|| {
            Histogram::new(exponential_buckets(2e-5, 2.0, 20))
        });
        registry.register_with_unit("stage", "Wall time of a sample in each stage", Unit::Seconds, family.clone());
        Self(
            STAGES.map(|stage| Stage {
                seconds: family.get_or_create_owned(&StageLabel { stage }),
                total: Arc::default(),
            }),
        )
    }

    /// Counts a sample that has come through the pipeline.
    pub(super) fn passed(&self, times: &StageTimes) {
        let StageTimes { queue, fetch, decode, transform, infer, cpu: _ } = *times;
        for (stage, time) in self.0.iter().zip([queue, fetch, decode, transform, infer]) {
            // A stage that a sample did not go through is not a stage of zero seconds.
            if !time.is_zero() {
                stage.seconds.observe(time.as_secs_f64());
                stage.total.add(1, time);
            }
        }
    }

    /// Counts a batch of so many samples that the network has taken so long after it was closed.
    pub(super) fn sent(&self, samples: usize, after: Duration) {
        let [.., send] = &self.0;
        send.seconds.observe(after.as_secs_f64());
        send.total.add(samples as u64, after);
    }

    /// What has passed each stage so far.
    pub(super) fn totals(&self) -> Vec<StageTotal> {
        let of = |(stage, each): (&'static str, &Stage)| StageTotal {
            stage,
            samples: each.total.samples.load(Ordering::Relaxed),
            time: Duration::from_nanos(each.total.nanoseconds.load(Ordering::Relaxed)),
        };
        STAGES.into_iter().zip(&self.0).map(of).collect()
    }
}

// === impl Total ===

impl Total {
    /// Adds samples of which each took this time.
    fn add(&self, samples: u64, each: Duration) {
        self.samples.fetch_add(samples, Ordering::Relaxed);
        let nanoseconds = u64::try_from(each.as_nanos()).unwrap_or(u64::MAX).saturating_mul(samples);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }
}
