//! One fetch stream: samples prepared side by side within a window, gathered into batches, laid into the [`Outbox`].
//!
//! The window opens as the reader reads: at first a quarter of it, then twice as much with every message that the network takes. What
//! was given up because memory was short is made again once the network takes something, and first of all.

use std::collections::VecDeque;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use headwater_pipeline::{Prepared, SampleRequest, Waits, Work};
use headwater_types::{Cut, FailureKind, SampleFailure};
use headwater_wire::{Asked, Fetch, proto};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep_until};
use tokio_util::task::AbortOnDropHandle;

use crate::batch::{Batch, is_large};
use crate::body::Body;
use crate::metrics::Metrics;
use crate::outbox::Outbox;
use crate::peer::Peer;
use crate::service::Shared;

/// How long a sample may wait for company while others of its stream are on their way. Each message costs both ends some
/// system calls and wake-ups: at 400 features a second, 4 ms gave every sample a message of its own.
const LINGER: Duration = Duration::from_millis(20);
/// A reader that gets nothing hears so often why, where that is known.
const TELL: Duration = Duration::from_secs(2);
/// The part of the window that is open before anything was read.
const AT_FIRST: usize = 4;

/// Keeps count of a stream for as long as it lives.
pub(crate) struct Open {
    metrics: Arc<Metrics>,
    _permit: OwnedSemaphorePermit,
}

/// Samples that are prepared together, and what came of them; `None` where the server has a fault.
type Run = (Range<usize>, Option<Vec<Prepared>>);

/// Makes what is asked for.
struct Driver {
    shared: Arc<Shared>,
    work: Arc<Work>,
    fetch: Fetch,
    asked: Vec<Asked>,
    outbox: Arc<Outbox>,
    /// Runs that are not begun yet.
    todo: VecDeque<Range<usize>>,
    working: FuturesUnordered<Working>,
    /// Most runs in work at a time.
    most: usize,
    batch: Batch,
    /// When the batch goes as it is.
    closes: Instant,
    /// When the reader is told why nothing comes.
    tells: Instant,
    /// Something was given up, and the network has taken nothing since.
    rests: bool,
}

/// A run on a task of its own, so that the samples of one stream use all cores; ended with the stream.
struct Working {
    run: Range<usize>,
    task: AbortOnDropHandle<Vec<Prepared>>,
}

/// Begins the work. It ends when the body is dropped, whether or not all was sent.
pub(crate) fn start(shared: Arc<Shared>, fetch: Fetch, work: Work, peer: Peer, permit: OwnedSemaphorePermit) -> Body {
    let open = Open::new(&shared.metrics, permit);
    let outbox =
        Arc::new(Outbox::new(work.account.clone(), peer, shared.streams.share(), Arc::clone(&shared.metrics), open));
    shared.streams.add(&outbox);
    let driver = Driver::new(shared, fetch, work, Arc::clone(&outbox));
    Body::new(outbox, AbortOnDropHandle::new(tokio::spawn(driver.drive())))
}

// === impl Open ===

impl Open {
    pub(crate) fn new(metrics: &Arc<Metrics>, permit: OwnedSemaphorePermit) -> Self {
        metrics.streams.inc();
        Self { metrics: Arc::clone(metrics), _permit: permit }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.metrics.streams.dec();
    }
}

// === impl Driver ===

impl Driver {
    fn new(shared: Arc<Shared>, fetch: Fetch, work: Work, outbox: Arc<Outbox>) -> Self {
        let asked: Vec<_> = fetch.iter().collect();
        let todo = VecDeque::from(shared.pipeline.runs(asked.iter().map(request)));
        let most = if asked.iter().all(|asked| asked.way.cut() == Cut::JpegCrop) {
            // Enough to keep every worker at work; what is cut ahead of that leaves the cores' caches before it is sent.
            shared.pipeline.pool.workers() + 1
        } else {
            (shared.window(&work) * todo.len()).div_ceil(asked.len().max(1)).max(2)
        };
        let now = Instant::now();
        let (working, batch) = (FuturesUnordered::new(), Batch::new());
        let work = Arc::new(work);
        Self {
            shared,
            work,
            fetch,
            asked,
            outbox,
            todo,
            working,
            most,
            batch,
            closes: now,
            tells: now + TELL,
            rests: false,
        }
    }

    async fn drive(mut self) {
        while !self.outbox.is_ended() {
            if let Some(places) = self.outbox.take_shed() {
                self.start_again(places);
            }
            self.rests &= !self.outbox.is_read();
            self.begin();
            let room = self.outbox.has_room();
            let idle = self.working.is_empty() && self.todo.is_empty();
            if idle && room && !self.batch.is_empty() {
                self.close();
                continue;
            }
            if idle && self.outbox.is_empty() {
                return self.outbox.finish();
            }
            tokio::select! {
                biased;
                () = self.outbox.changed() => {}
                Some(run) = self.working.next(), if room => self.take(run),
                () = sleep_until(self.closes), if room && !self.batch.is_empty() => self.close(),
                () = sleep_until(self.tells), if !self.working.is_empty() => self.tell(),
            }
        }
    }

    /// Begins runs until the window is full, or some wait for memory: more of them would only wait beside those.
    fn begin(&mut self) {
        let window = self.window();
        let short = || self.work.account.waits() == Some(Waits::Memory);
        while !self.rests
            && self.working.len() < window
            && (self.working.is_empty() || !short())
            && let Some(run) = self.todo.pop_front()
        {
            let (shared, work) = (Arc::clone(&self.shared), Arc::clone(&self.work));
            let requests: Vec<_> = self.asked[run.clone()].iter().map(request).collect();
            let task = tokio::spawn(async move { shared.prepare(&requests, &work).await });
            self.working.push(Working { run, task: AbortOnDropHandle::new(task) });
        }
    }

    fn window(&self) -> usize {
        let first = self.most.div_ceil(AT_FIRST).max(self.shared.pipeline.pool.workers() + 1);
        first.checked_shl(self.outbox.messages()).map_or(self.most, |open| open.min(self.most))
    }

    /// Lays what was made into the outbox.
    fn take(&mut self, (run, samples): Run) {
        self.tells = Instant::now() + TELL;
        // HTTP/2 has one whole message at least.
        let most = self.fetch.batch_bytes.as_usize().min(self.outbox.share.bytes());
        let samples = samples.unwrap_or_else(|| self.asked[run.clone()].iter().map(lost).collect());
        for (place, sample) in run.zip(samples) {
            let position = self.asked[place].position;
            let Some(sample) = self.outbox.restore(position, sample) else { continue };
            let large = is_large(&sample, most);
            if large {
                self.close();
            }
            if self.batch.is_empty() {
                self.closes = Instant::now() + LINGER;
            }
            self.batch.push(position, sample);
            if large || self.batch.is_full(most) {
                self.close();
            }
        }
    }

    fn close(&mut self) {
        let batch = std::mem::replace(&mut self.batch, Batch::new());
        if !batch.is_empty() {
            self.outbox.push(batch);
        }
    }

    /// Everything that was not sent is to be made again: these places of the outbox, and what was not there yet.
    fn start_again(&mut self, places: Vec<u32>) {
        let mut places: Vec<usize> = places.into_iter().map(|place| place as usize).collect();
        let first = places.first().copied();
        let batch = std::mem::replace(&mut self.batch, Batch::new());
        places.extend(batch.positions().map(|place| place as usize));
        places.extend(self.working.iter().flat_map(|working| working.run.clone()));
        self.working.clear();
        self.shared.metrics.shed.inc_by(places.len() as u64);
        // One that was sent in part is waited for by all others.
        places.sort_by_key(|&place| (Some(place) != first, place));
        places.into_iter().rev().for_each(|place| self.todo.push_front(place..place + 1));
        self.rests = true;
    }

    fn tell(&mut self) {
        self.tells = Instant::now() + TELL;
        if let Some(waits) = self.work.account.waits() {
            let detail = match waits {
                Waits::Memory => self.shared.streams.holders(&self.shared.pipeline),
                Waits::Store => match self.shared.pipeline.store.waiting() {
                    Some(waiting) => waiting.to_string(),
                    None => "photos are being read".to_owned(),
                },
            };
            self.outbox.tell(proto::Waiting { reason: waits.as_str().to_owned(), detail });
        }
    }
}

impl Future for Working {
    type Output = Run;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Run> {
        let ended = ready!(Pin::new(&mut self.task).poll(context));
        let say =
            |error| tracing::error!(first = self.run.start, samples = self.run.len(), %error, "a task ended badly");
        Poll::Ready((self.run.clone(), ended.map_err(say).ok()))
    }
}

// === impl Shared ===

impl Shared {
    /// Prepares a run.
    async fn prepare(&self, run: &[SampleRequest], work: &Work) -> Vec<Prepared> {
        let prepared = match run {
            [request] if request.way.cut() != Cut::JpegCrop => vec![self.pipeline.prepare(*request, work).await],
            _ => self.pipeline.crops(run, work).await,
        };
        for sample in &prepared {
            if let Err(failure) = &sample.outcome {
                let key = sample.key.as_ref().map(|key| key.as_str());
                tracing::debug!(index = sample.index.0, key, kind = %failure.kind, %failure, "sample failed");
            }
            self.metrics.prepared(sample);
        }
        prepared
    }
}

/// A sample whose task ended badly.
fn lost(asked: &Asked) -> Prepared {
    let message = "a fault of the server: please report this, with its log";
    Prepared::failed(asked.index, SampleFailure::new(FailureKind::Internal, message))
}

fn request(asked: &Asked) -> SampleRequest {
    let Asked { index, way, address, position: _ } = *asked;
    SampleRequest { index, way, address }
}
