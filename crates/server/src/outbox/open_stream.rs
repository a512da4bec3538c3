//! A fetch stream's place among the server's streams.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

use crate::metrics::{Metrics, SampleMetrics};
use crate::traces::CallTrace;

/// Counts a stream for as long as it lives.
pub(crate) struct OpenStream {
    pub(super) metrics: Arc<Metrics>,
    /// Counts the samples of the stream's dataset.
    pub(super) counts: SampleMetrics,
    /// Follows the stream's call.
    pub(super) trace: CallTrace,
    _place: OwnedSemaphorePermit,
}

// === impl OpenStream ===

impl OpenStream {
    pub(crate) fn new(
        metrics: &Arc<Metrics>,
        (counts, trace): (SampleMetrics, CallTrace),
        place: OwnedSemaphorePermit,
    ) -> Self {
        metrics.streams.inc();
        Self { metrics: Arc::clone(metrics), counts, trace, _place: place }
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.metrics.streams.dec();
    }
}
