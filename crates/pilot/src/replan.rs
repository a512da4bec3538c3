//! A change of plan, as it is logged and reported.

use std::time::Duration;

use headwater_types::BitsPerSecond;
use serde::Serialize;

use crate::autopilot::Replanned;

/// A change of plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Replan {
    /// Seconds after the beginning.
    #[serde(rename = "at_seconds")]
    pub at: f64,
    /// What was seen that was not predicted: bits per second.
    #[serde(rename = "seen_bandwidth_bps")]
    pub seen_bandwidth: Option<f64>,
    /// For each server the factor by which its CPU seconds were off.
    pub seen_storage_cpu: Option<Vec<f64>>,
    /// The same for finishing.
    pub seen_trainer_cpu: Option<f64>,
    /// What is believed now, in bits per second.
    #[serde(rename = "bandwidth_bps")]
    pub bandwidth: Option<f64>,
    /// Samples that were left.
    pub left: u64,
    /// Those of them that travel another way now.
    pub moved: u64,
    /// Seconds that the rest is predicted to take.
    #[serde(rename = "predicted_rest_seconds")]
    pub predicted_rest: f64,
}

// === impl Replan ===

impl Replan {
    pub(crate) fn new(at: Duration, replanned: &Replanned) -> Self {
        let Replanned { seen, prediction, left, moved, .. } = replanned;
        Self {
            at: at.as_secs_f64(),
            seen_bandwidth: seen.bandwidth,
            seen_storage_cpu: seen.storage.clone(),
            seen_trainer_cpu: seen.trainer,
            bandwidth: replanned.bandwidth().map(BitsPerSecond::get),
            left: *left as u64,
            moved: *moved as u64,
            predicted_rest: prediction.epoch,
        }
    }

    /// Logs it.
    pub(crate) fn trace(&self) {
        tracing::info!(
            at_seconds = self.at,
            bandwidth_bps = self.bandwidth,
            left = self.left,
            moved = self.moved,
            predicted_rest_seconds = self.predicted_rest,
            "planned anew"
        );
    }
}
