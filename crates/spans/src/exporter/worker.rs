//! What the exporter's thread does: it gathers spans into batches, and sends each until it is taken or its time is up.

use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, sleep_until};

use crate::clock::Clock;
use crate::exporter::encode::message;
use crate::exporter::fault::Fault;
use crate::exporter::flushed::FLUSH;
use crate::exporter::losses::Losses;
use crate::exporter::transport::Transport;
use crate::proto::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use crate::record::Record;
use crate::settings::Settings;

/// Somebody who waits until everything is sent.
pub(super) struct Asked {
    pub(super) done: SyncSender<()>,
    /// How long that may take.
    pub(super) most: Duration,
}

/// The thread's work.
pub(super) struct Worker {
    settings: Settings,
    clock: Clock,
    waiting: Receiver<Box<Record>>,
    asked: Receiver<Asked>,
    losses: Arc<Losses>,
    batch: Vec<Record>,
    /// When the batch is sent, however few spans it has.
    due: Instant,
    /// Those who wait.
    askers: Vec<SyncSender<()>>,
    /// When what is sent must be sent, because somebody waits for it.
    hurry: Option<Instant>,
}

/// The first pause before a message is sent again; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(250);

// === impl Worker ===

impl Worker {
    pub(super) fn new(
        settings: Settings,
        clock: Clock,
        (waiting, asked): (Receiver<Box<Record>>, Receiver<Asked>),
        losses: Arc<Losses>,
    ) -> Self {
        let (batch, askers, due) = (Vec::new(), Vec::new(), Instant::now());
        Self { settings, clock, waiting, asked, losses, batch, due, askers, hurry: None }
    }

    /// Works until nobody can give it spans any more.
    pub(super) async fn run(mut self) {
        let transport = Transport::new(&self.settings.destination);
        loop {
            tokio::select! {
                biased;
                Some(asked) = self.asked.recv() => self.hear(asked),
                record = self.waiting.recv() => match record {
                    Some(record) => self.take(*record),
                    None => break,
                },
                () = sleep_until(self.due), if !self.batch.is_empty() => self.send(&transport).await,
            }
            if self.batch.len() >= self.settings.batching.batch {
                self.send(&transport).await;
            }
            if self.hurry.is_some() {
                self.send_all(&transport).await;
            }
        }
        self.hurry = Some(Instant::now() + FLUSH);
        self.send(&transport).await;
    }

    fn take(&mut self, record: Record) {
        if self.batch.is_empty() {
            self.due = Instant::now() + self.settings.batching.delay;
        }
        self.batch.push(record);
    }

    /// Somebody waits: a little before they give up, what is not sent is lost.
    fn hear(&mut self, Asked { done, most }: Asked) {
        let end = Instant::now() + most.mul_f64(0.75);
        self.hurry = Some(self.hurry.map_or(end, |hurry| hurry.min(end)));
        self.askers.push(done);
    }

    /// Sends all that waits, and tells those who wait.
    async fn send_all(&mut self, transport: &Transport) {
        loop {
            while self.batch.len() < self.settings.batching.batch
                && let Ok(record) = self.waiting.try_recv()
            {
                self.take(*record);
            }
            if self.batch.is_empty() {
                break;
            }
            self.send(transport).await;
        }
        self.hurry = None;
        for done in self.askers.drain(..) {
            // Who has given up is told nothing.
            let _ = done.try_send(());
        }
    }

    /// Sends the batch, until it is taken or its time is up.
    async fn send(&mut self, transport: &Transport) {
        let spans = self.batch.len() as u64;
        if spans == 0 {
            return;
        }
        let records = std::mem::take(&mut self.batch);
        let message = message(&self.settings.resource, records, &self.clock);
        match self.send_until(transport, &message, Instant::now() + self.settings.batching.timeout).await {
            Ok(answer) => {
                let part = answer.partial_success.unwrap_or_default();
                let rejected = u64::try_from(part.rejected_spans).unwrap_or(0);
                self.losses.add(rejected, &format_args!("it takes some of them alone: {}", part.error_message));
            }
            Err(fault) => self.losses.add(spans, &fault),
        }
    }

    async fn send_until(
        &mut self,
        transport: &Transport,
        message: &ExportTraceServiceRequest,
        end: Instant,
    ) -> Result<ExportTraceServiceResponse, Fault> {
        let mut pause = PAUSE;
        loop {
            let late = Fault::passing("it does not answer before the time is up");
            let fault = match self.unless_late(transport.send(message), end).await.unwrap_or(Err(late)) {
                Ok(answer) => return Ok(answer),
                Err(fault) => fault,
            };
            let again = Instant::now() + pause;
            if !fault.is_passing || again >= self.hurry.unwrap_or(end).min(end) {
                return Err(fault);
            }
            // Somebody who begins to wait does so for the rest of the pause at most.
            let _ = self.unless_late(sleep_until(again), end).await;
            pause *= 2;
        }
    }

    /// What comes of this, unless the time is up before; those who begin to wait meanwhile are heard.
    async fn unless_late<T>(&mut self, work: impl Future<Output = T>, end: Instant) -> Option<T> {
        let mut work = pin!(work);
        loop {
            let end = self.hurry.map_or(end, |hurry| hurry.min(end));
            tokio::select! {
                biased;
                done = &mut work => return Some(done),
                Some(asked) = self.asked.recv() => self.hear(asked),
                () = sleep_until(end) => return None,
            }
        }
    }
}
