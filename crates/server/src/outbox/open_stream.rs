//! A fetch stream's place among the server's streams.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

use crate::metrics::Metrics;

/// Counts a stream for as long as it lives.
pub(crate) struct OpenStream {
    metrics: Arc<Metrics>,
    _place: OwnedSemaphorePermit,
}

// === impl OpenStream ===

impl OpenStream {
    pub(crate) fn new(metrics: &Arc<Metrics>, place: OwnedSemaphorePermit) -> Self {
        metrics.streams.inc();
        Self { metrics: Arc::clone(metrics), _place: place }
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.metrics.streams.dec();
    }
}
