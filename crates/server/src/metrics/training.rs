//! Heads that are trained here.

use std::sync::atomic::AtomicU64;

use headwater_wire::training::Trained;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

/// Counts the steps of trainings, and the trainings themselves.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrainingMetrics {
    held: Gauge,
    steps: Counter,
    samples: Counter,
    seconds: Counter<f64, AtomicU64>,
}

/// A training that is held until this is dropped.
#[derive(Debug)]
pub(crate) struct HeldTraining(Gauge);

// === impl TrainingMetrics ===

impl TrainingMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("trainings", "Trainings whose features the server makes or holds", self.held.clone());
        registry.register("training_steps", "Local steps of trainings", self.steps.clone());
        let help = "Samples that local steps were taken on, each as often as it came";
        registry.register("training_samples", help, self.samples.clone());
        let help = "Time of local steps, with what --simulate-slowdown adds";
        registry.register_with_unit("training_compute", help, Unit::Seconds, self.seconds.clone());
    }

    /// Counts a training for as long as it is held.
    pub(crate) fn hold(&self) -> HeldTraining {
        self.held.inc();
        HeldTraining(self.held.clone())
    }

    /// Counts steps that were taken.
    pub(crate) fn count(&self, trained: &Trained) {
        self.steps.inc_by(trained.steps.into());
        self.samples.inc_by(trained.samples);
        self.seconds.inc_by(trained.compute.as_secs_f64());
    }
}

impl Drop for HeldTraining {
    fn drop(&mut self) {
        self.0.dec();
    }
}
