//! The driver of one fetch stream: samples prepared side by side within a window, gathered into batches, laid into the
//! [`Outbox`].
//!
//! The window opens as the reader reads: at first a quarter of it, then twice as much with every message that the
//! network takes. Samples that were given up because memory was short are made again once the network takes something,
//! and first of all.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use headwater_pipeline::{Call, SampleRequest, Waits, Wanted};
use headwater_types::ByteCount;
use headwater_wire::proto;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep_until};
use tokio_util::task::AbortOnDropHandle;

use crate::batch::{Batch, is_large};
use crate::body::Body;
use crate::fields::AskedFields;
use crate::offer::Offer;
use crate::outbox::{OpenStream, Outbox};
use crate::peer::Peer;
use crate::run::{Ended, Run, lost};

/// How long a sample may wait for company while others of its stream are on their way. Each message costs both ends
/// some system calls and wake-ups: at 400 features a second, 4 ms gave every sample a message of its own.
const LINGER: Duration = Duration::from_millis(20);
/// How often a reader that gets nothing hears why, where the driver knows.
const TELL: Duration = Duration::from_secs(2);
/// Before anything was read, one in so many of the window's runs may be in work.
const AT_FIRST: usize = 4;

/// Makes the samples of a stream.
struct Driver {
    offer: Arc<Offer>,
    call: Arc<Call>,
    requests: Vec<SampleRequest>,
    batch_bytes: ByteCount,
    fields: AskedFields,
    outbox: Arc<Outbox>,
    /// Runs that are not begun yet, as places in the requests.
    todo: VecDeque<Range<usize>>,
    working: FuturesUnordered<Run>,
    /// Most runs in work at a time.
    most: usize,
    batch: Batch,
    /// When the batch is closed, however few samples it has.
    closes: Instant,
    /// When the reader is told why nothing comes.
    tells: Instant,
    /// Whether samples were given up, and the network has taken nothing since.
    rests: bool,
}

/// Begins the work. It ends when the body is dropped, whether or not all was sent.
pub(crate) fn start(
    offer: Arc<Offer>,
    requests: Vec<SampleRequest>,
    call: Call,
    (batch_bytes, fields): (ByteCount, AskedFields),
    (peer, place): (Peer, OwnedSemaphorePermit),
) -> Body {
    let house = &offer.house;
    let open = OpenStream::new(&house.metrics, offer.counts.clone(), place);
    let account = call.job.account().clone();
    let outbox = Arc::new(Outbox::new(account, peer, house.streams.share(), open));
    house.streams.add(&outbox);
    let driver = Driver::new(offer, requests, call, (batch_bytes, fields), Arc::clone(&outbox));
    Body::new(outbox, AbortOnDropHandle::new(tokio::spawn(driver.drive())))
}

// === impl Driver ===

impl Driver {
    fn new(
        offer: Arc<Offer>,
        requests: Vec<SampleRequest>,
        call: Call,
        (batch_bytes, fields): (ByteCount, AskedFields),
        outbox: Arc<Outbox>,
    ) -> Self {
        let todo = VecDeque::from(offer.generation.pipeline.runs(&requests));
        let most = most_runs(&offer, &requests, todo.len());
        let (now, call) = (Instant::now(), Arc::new(call));
        let (working, batch) = (FuturesUnordered::new(), Batch::new());
        let (closes, tells, rests) = (now, now + TELL, false);
        Self { offer, call, requests, batch_bytes, fields, outbox, todo, working, most, batch, closes, tells, rests }
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
            let stalled = self.is_stalled().then(Instant::now);
            tokio::select! {
                biased;
                () = self.outbox.changed() => {}
                Some(run) = self.working.next(), if room => self.take(run),
                () = sleep_until(self.closes), if room && !self.batch.is_empty() => self.close(),
                () = sleep_until(self.tells), if !self.working.is_empty() => self.tell(),
            }
            if let (Some(began), Some(cache)) = (stalled, &self.offer.house.cache) {
                cache.add_stalled(began.elapsed());
            }
        }
    }

    /// Begins runs until the window is full or some wait for memory: further runs would only wait beside them.
    fn begin(&mut self) {
        let window = self.window();
        let short = || self.call.job.account().waits() == Some(Waits::Memory);
        while !self.rests
            && self.working.len() < window
            && (self.working.is_empty() || !short())
            && let Some(run) = self.todo.pop_front()
        {
            let requests = self.requests[run.clone()].to_vec();
            self.working.push(Run::begin(run, requests, &self.offer, &self.call));
        }
    }

    /// Whether the reader has nothing to read, and the samples that come next wait for the store.
    fn is_stalled(&self) -> bool {
        let has_nothing = self.outbox.is_empty() && self.batch.is_empty();
        has_nothing && self.call.job.account().waits() == Some(Waits::Store)
    }

    fn window(&self) -> usize {
        let first = self.most.div_ceil(AT_FIRST).max(self.offer.house.resources.workers() + 1);
        first.checked_shl(self.outbox.messages()).map_or(self.most, |open| open.min(self.most))
    }

    /// Lays what was made into the outbox.
    fn take(&mut self, (run, samples): Ended) {
        self.tells = Instant::now() + TELL;
        // HTTP/2 has one whole message at least.
        let most = self.batch_bytes.as_usize().min(self.outbox.share.bytes());
        let samples = samples.unwrap_or_else(|| self.requests[run.clone()].iter().map(lost).collect());
        for (place, sample) in run.zip(samples) {
            let position = position(place);
            let Some(sample) = self.outbox.restore(position, sample) else { continue };
            let large = is_large(&sample, most);
            if large {
                self.close();
            }
            if self.batch.is_empty() {
                self.closes = Instant::now() + LINGER;
            }
            let fields = self.fields.of(sample.index);
            self.batch.push(position, sample, fields);
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

    /// Plans to make everything again that was not sent: the outbox's samples at these places, and those that were not
    /// in it yet.
    fn start_again(&mut self, places: Vec<u32>) {
        let mut places: Vec<usize> = places.into_iter().map(|place| place as usize).collect();
        let batch = std::mem::replace(&mut self.batch, Batch::new());
        places.extend(batch.positions().map(|place| place as usize));
        places.extend(self.working.iter().flat_map(Run::places));
        self.working.clear();
        self.offer.house.metrics.shed.inc_by(places.len() as u64);
        plan_again(&mut self.todo, places, self.outbox.awaited().map(|place| place as usize));
        self.rests = true;
    }

    fn tell(&mut self) {
        self.tells = Instant::now() + TELL;
        if let Some(waits) = self.call.job.account().waits() {
            let detail = match waits {
                Waits::Memory => self.offer.house.streams.holders(&self.offer.house.resources),
                Waits::Store => match self.offer.generation.pipeline.store.waiting() {
                    Some(waiting) => waiting.to_string(),
                    None => "photos are being read".to_owned(),
                },
            };
            self.outbox.tell(proto::Waiting { reason: waits.as_str().to_owned(), detail });
        }
    }
}

/// Plans these places before everything else, and before them the sample for which all others wait, whether it is
/// among these places or was planned already.
fn plan_again(todo: &mut VecDeque<Range<usize>>, mut places: Vec<usize>, awaited: Option<usize>) {
    places.sort_unstable();
    places.into_iter().rev().for_each(|place| todo.push_front(place..place + 1));
    let awaited = awaited.and_then(|place| todo.iter().position(|run| *run == (place..place + 1)));
    if let Some(run) = awaited.and_then(|at| todo.remove(at)) {
        todo.push_front(run);
    }
}

/// Most runs in work at a time: as many as make a window of samples, or as keep every CPU worker at work.
fn most_runs(offer: &Offer, requests: &[SampleRequest], runs: usize) -> usize {
    if requests.iter().all(|request| matches!(request.wanted, Wanted::JpegCrop(_))) {
        // Crops that are cut further ahead leave the cores' caches before they are sent.
        return offer.house.resources.workers() + 1;
    }
    // A model's next batch fills while one runs.
    let for_model = requests.iter().find_map(|request| request.wanted.model()).map_or(0, |m| 4 * m.max_batch().get());
    (offer.house.stream_window.get().max(for_model) * runs).div_ceil(requests.len().max(1)).max(2)
}

/// The place of a sample in its request, as it travels. The bound of samples in a call is far below what it can say.
fn position(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_that_all_others_wait_for_is_made_first() {
        let planned = |places: &[usize], awaited| {
            let mut todo = VecDeque::from([5..6, 7..9]);
            plan_again(&mut todo, places.to_vec(), awaited);
            Vec::from(todo)
        };
        assert_eq!(planned(&[4, 2], None), [2..3, 4..5, 5..6, 7..9]);
        assert_eq!(planned(&[4, 2], Some(4)), [4..5, 2..3, 5..6, 7..9]);
        assert_eq!(planned(&[4, 2], Some(5)), [5..6, 2..3, 4..5, 7..9], "it was planned already");
    }
}
