//! A change of cut, as it is logged and reported.

use serde::Serialize;

/// A change of cut.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SplitChange {
    /// Seconds after the beginning.
    pub at_seconds: f64,
    /// Bits per second that were seen to arrive, where they deviate from what was believed.
    pub seen_bandwidth_bps: Option<f64>,
    /// For each server the factor by which its CPU seconds were off.
    pub seen_storage_cpu: Option<Vec<f64>>,
    /// The factor by which the CPU seconds of this machine were off.
    pub seen_tuner_cpu: Option<f64>,
    /// Where the network was cut before.
    pub from: String,
    /// Where it is cut now.
    pub cut: String,
    /// Whether what travels is coded now.
    pub coded: bool,
    /// How many samples were left.
    pub left: u64,
    /// Seconds that the rest is predicted to take.
    pub predicted_rest_seconds: f64,
}

// === impl SplitChange ===

impl SplitChange {
    /// Writes the change into the log.
    pub(super) fn trace(&self) {
        tracing::info!(
            at_seconds = self.at_seconds,
            bandwidth_bps = self.seen_bandwidth_bps,
            from = self.from,
            cut = self.cut,
            coded = self.coded,
            left = self.left,
            predicted_rest_seconds = self.predicted_rest_seconds,
            "the network is cut elsewhere"
        );
    }
}
