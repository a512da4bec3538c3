//! An epoch as it was predicted, and as it was measured.

use std::fmt;

use headwater_plan::{Prediction, Resources};
use headwater_types::BitsPerSecond;
use serde::{Deserialize, Serialize};

use crate::measured::Measured;

/// Predicted and measured, for one resource each. What nothing limits has no seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The epoch, in seconds.
    pub epoch: PredictedMeasured,
    /// The trainer's network, in seconds.
    pub network: PredictedMeasured,
    /// The CPU workers of the busiest server, in seconds.
    pub storage_cpu: PredictedMeasured,
    /// The cores that finish recipes, in seconds.
    pub trainer_cpu: PredictedMeasured,
    /// The accelerator, in seconds.
    pub accelerator: PredictedMeasured,
    /// Payload bytes.
    pub bytes: PredictedMeasured,
}

/// A number as predicted and as measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PredictedMeasured {
    /// The number as predicted.
    pub predicted: Option<f64>,
    /// The number as measured.
    pub measured: Option<f64>,
    /// Measured over predicted, less 1.
    pub error: Option<f64>,
}

// === impl Comparison ===

impl Comparison {
    pub(crate) fn new(prediction: Option<&Prediction>, resources: &Resources, measured: &Measured) -> Self {
        let predicted = prediction.map(Prediction::seconds);
        let pair = |predicted: Option<f64>, measured: Option<f64>| PredictedMeasured::new(predicted, measured);
        let over = |bandwidth: BitsPerSecond| 8.0 * measured.received as f64 / bandwidth.get();
        let cores = |used: f64, cores: f64| if cores > 0.0 { used / cores } else { 0.0 };
        let there = resources.servers.iter().zip(&measured.there).map(|(has, &used)| cores(used, has.cores.get()));
        Self {
            epoch: pair(predicted.map(|seconds| seconds.epoch), Some(measured.wall.as_secs_f64())),
            network: pair(
                predicted.filter(|_| resources.bandwidth.is_some()).map(|seconds| seconds.network),
                resources.bandwidth.map(over),
            ),
            storage_cpu: pair(predicted.map(|seconds| seconds.storage_cpu), Some(there.fold(0.0, f64::max))),
            trainer_cpu: pair(
                predicted.map(|seconds| seconds.trainer_cpu),
                resources.trainer_cores.map(|has| cores(measured.here, has.get())),
            ),
            accelerator: pair(
                predicted.filter(|_| resources.accelerator_rate.is_some()).map(|seconds| seconds.accelerator),
                resources.accelerator_rate.map(|rate| measured.samples as f64 / rate.get()),
            ),
            bytes: pair(prediction.map(|prediction| prediction.bytes as f64), Some(measured.payload as f64)),
        }
    }

    /// Each resource with its name.
    fn rows(&self) -> [(&'static str, PredictedMeasured); 6] {
        [
            ("epoch, s", self.epoch),
            ("network, s", self.network),
            ("storage CPU, s", self.storage_cpu),
            ("trainer CPU, s", self.trainer_cpu),
            ("accelerator, s", self.accelerator),
            ("payload, MB", self.bytes.times(1e-6)),
        ]
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:16}  {:>10}  {:>10}  {:>8}", "", "predicted", "measured", "off by")?;
        let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"));
        for (name, PredictedMeasured { predicted, measured, error }) in self.rows() {
            let off = error.map_or_else(|| "-".to_owned(), |error| format!("{:+.1} %", error * 100.0));
            write!(f, "\n{name:16}  {:>10}  {:>10}  {off:>8}", number(predicted), number(measured))?;
        }
        Ok(())
    }
}

// === impl PredictedMeasured ===

impl PredictedMeasured {
    /// A number as predicted and as measured, and how far the two lie apart.
    pub fn new(predicted: Option<f64>, measured: Option<f64>) -> Self {
        let error = match (predicted, measured) {
            (Some(predicted), Some(measured)) if predicted > 0.0 => Some(measured / predicted - 1.0),
            _ => None,
        };
        Self { predicted, measured, error }
    }

    fn times(self, factor: f64) -> Self {
        let times = |value: Option<f64>| value.map(|value| value * factor);
        Self { predicted: times(self.predicted), measured: times(self.measured), ..self }
    }
}
