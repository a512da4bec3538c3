//! How long samples take in each stage of their way through the server.

use std::time::Duration;

use headwater_pipeline::StageTimes;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::labels::StageLabel;

/// Names of the stages, in order.
pub(super) const STAGES: [&str; 6] = ["queue", "fetch", "decode", "transform", "infer", "send"];

/// A histogram for each stage.
#[derive(Clone)]
pub(super) struct Stages([Histogram; STAGES.len()]);

// === impl Stages ===

impl Stages {
    /// Histograms from 20 us to 10 s in steps of 2.
    pub(super) fn register(registry: &mut Registry) -> Self {
        let family = Family::<StageLabel, Histogram>::new_with_constructor(|| {
            Histogram::new(exponential_buckets(2e-5, 2.0, 20))
        });
        registry.register_with_unit("stage", "Wall time of a sample in each stage", Unit::Seconds, family.clone());
        Self(STAGES.map(|stage| family.get_or_create_owned(&StageLabel { stage })))
    }

    /// Counts a sample that has come through the pipeline.
    pub(super) fn passed(&self, times: &StageTimes) {
        let StageTimes { queue, fetch, decode, transform, infer, cpu: _ } = *times;
        for (stage, time) in self.0.iter().zip([queue, fetch, decode, transform, infer]) {
            // A stage that a sample did not go through is not a stage of zero seconds.
            if !time.is_zero() {
                stage.observe(time.as_secs_f64());
            }
        }
    }

    /// Counts a batch that the network has taken so long after it was closed.
    pub(super) fn sent(&self, after: Duration) {
        let [.., send] = &self.0;
        send.observe(after.as_secs_f64());
    }
}
