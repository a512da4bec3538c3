//! The way of spans to a collector: a queue, and a thread that empties it.
//!
//! ```text
//! push ─▶ queue (bounded) ─▶ batches ─▶ OTLP ─▶ collector
//!    └ full: dropped            └ not sent: dropped      all of it counted, and said once
//! ```
//!
//! Whoever pushes never waits. The thread begins with the first span, so that a process which forks before has none; it
//! is the process's own, and one that has forked makes another tracer.

mod connector;
mod encode;
mod fault;
mod flushed;
mod grpc;
mod http;
mod losses;
mod queue;
mod transport;
mod worker;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

pub use flushed::{FLUSH, Flushed};

use crate::clock::Clock;
use crate::record::Record;
use crate::settings::Settings;
use losses::Losses;
use queue::Queue;

/// Takes spans.
#[derive(Debug)]
pub(crate) struct Exporter {
    settings: Settings,
    clock: Clock,
    losses: Arc<Losses>,
    /// `None` where the system gave no thread.
    queue: OnceLock<Option<Queue>>,
}

// === impl Exporter ===

impl Exporter {
    pub(crate) fn new(settings: Settings) -> Self {
        let losses = Arc::new(Losses::new(settings.endpoint()));
        Self { settings, clock: Clock::now(), losses, queue: OnceLock::new() }
    }

    /// Takes a span, or drops it.
    pub(crate) fn push(&self, record: Record) {
        let begin = || Queue::begin(&self.settings, self.clock, &self.losses).ok();
        match self.queue.get_or_init(begin) {
            Some(queue) if queue.push(record) => {}
            Some(_) => self.losses.add(1, &"more spans wait than OTEL_BSP_MAX_QUEUE_SIZE"),
            None => self.losses.add(1, &"the system gives no thread for them"),
        }
    }

    /// Sends what waits now, for at most so long.
    pub(crate) fn flush(&self, most: Duration) -> Flushed {
        let in_time = match self.queue.get() {
            Some(Some(queue)) => queue.flush(most),
            Some(None) | None => true,
        };
        Flushed { in_time, lost: self.losses.count() }
    }
}

#[cfg(test)]
mod tests;
