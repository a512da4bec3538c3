//! What is read of a running epoch.

use std::time::Duration;

/// Sums since the epoch began: what was received, and what it took.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Reading {
    /// Time since the epoch began.
    pub(crate) at: Duration,
    /// Bytes received.
    pub(crate) bytes: f64,
    /// CPU seconds of each server: measured, and as they were predicted for the samples that came.
    pub(crate) storage: Vec<CpuTally>,
    /// CPU seconds of finishing.
    pub(crate) trainer: CpuTally,
    /// Seconds for which bytes that somebody waited for were underway.
    pub(crate) arriving: f64,
    /// Seconds by which timers fired late.
    pub(crate) late: f64,
}

/// CPU seconds as measured and as predicted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct CpuTally {
    pub(crate) measured: f64,
    pub(crate) predicted: f64,
}

/// CPU seconds below which a factor is noise.
const LEAST_WORK: f64 = 0.1;

// === impl Reading ===

impl Reading {
    /// Bits a second since an earlier reading.
    pub(super) fn rate_since(&self, from: &Self) -> f64 {
        let seconds = self.at.saturating_sub(from.at).as_secs_f64();
        if seconds > 0.0 { 8.0 * (self.bytes - from.bytes) / seconds } else { 0.0 }
    }
}

// === impl CpuTally ===

impl CpuTally {
    /// What was added since an earlier tally.
    pub(super) fn since(self, from: Self) -> Self {
        Self { measured: self.measured - from.measured, predicted: self.predicted - from.predicted }
    }

    /// The factor by which CPU seconds are off; 1 where there are too few to tell.
    pub(super) fn ratio(self) -> f64 {
        let enough = self.measured.max(self.predicted) >= LEAST_WORK && self.predicted > 0.0;
        if enough { self.measured / self.predicted } else { 1.0 }
    }
}
