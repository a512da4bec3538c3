//! Spans that wait for the exporter's thread.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use tokio::sync::mpsc::{Sender, channel};

use crate::clock::Clock;
use crate::exporter::losses::Losses;
use crate::exporter::worker::{Asked, Worker};
use crate::record::Record;
use crate::settings::Settings;

/// Spans that wait, and the way to the thread that sends them. The thread ends when this is dropped, after what waits.
#[derive(Debug)]
pub(super) struct Queue {
    spans: Sender<Box<Record>>,
    flushes: Sender<Asked>,
}

/// Those at a time who want all to be sent at once.
const MOST_ASKERS: usize = 8;

// === impl Queue ===

impl Queue {
    /// Starts the thread.
    ///
    /// # Errors
    /// Where the system gives no more threads.
    pub(super) fn begin(settings: &Settings, clock: Clock, losses: &Arc<Losses>) -> io::Result<Self> {
        let (spans, waiting) = channel(settings.batching.queue);
        let (flushes, asked) = channel(MOST_ASKERS);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (settings, losses) = (settings.clone(), Arc::clone(losses));
        let work = move || runtime.block_on(Worker::new(settings, clock, (waiting, asked), losses).run());
        std::thread::Builder::new().name("headwater-traces".to_owned()).spawn(work)?;
        Ok(Self { spans, flushes })
    }

    /// Takes a span. False: there is no room.
    pub(super) fn push(&self, record: Record) -> bool {
        self.spans.try_send(Box::new(record)).is_ok()
    }

    /// Has all be sent that waits. False: it was not done in this time.
    pub(super) fn flush(&self, most: Duration) -> bool {
        let (done, sent) = sync_channel(1);
        self.flushes.try_send(Asked { done, most }).is_ok() && sent.recv_timeout(most).is_ok()
    }
}
