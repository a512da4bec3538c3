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
    /// Bits per second that were seen to arrive, where they deviate from the prediction.
    #[serde(rename = "seen_bandwidth_bps")]
    pub seen_bandwidth: Option<f64>,
    /// For each server the factor by which its CPU seconds were off.
    pub seen_storage_cpu: Option<Vec<f64>>,
    /// The factor by which the CPU seconds of finishing were off.
    pub seen_trainer_cpu: Option<f64>,
    /// Bits per second that are now believed to arrive at most.
    #[serde(rename = "bandwidth_bps")]
    pub bandwidth: Option<f64>,
    /// How many samples were left.
    pub left: u64,
    /// How many of the samples that were left travel another way now.
    pub moved: u64,
    /// Seconds that the rest is predicted to take.
    #[serde(rename = "predicted_rest_seconds")]
    pub predicted_rest: f64,
}

// === impl Replan ===

impl Replan {
    pub(crate) fn new(at: Duration, replanned: &Replanned) -> Self {
        let Replanned { deviation, prediction, left, moved, .. } = replanned;
        Self {
            at: at.as_secs_f64(),
            seen_bandwidth: deviation.bandwidth,
            seen_storage_cpu: deviation.storage.clone(),
            seen_trainer_cpu: deviation.trainer,
            bandwidth: replanned.bandwidth().map(BitsPerSecond::get),
            left: *left as u64,
            moved: *moved as u64,
            predicted_rest: prediction.epoch,
        }
    }

    /// Writes the change into the log.
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
