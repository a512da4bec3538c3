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
use crate::routes::{Handing, Leg, plan};
use crate::run::{Calls, Ended, Run, lost};

/// How long a sample may wait for company while others of its stream are on their way. Each message costs both ends
/// some system calls and wake-ups: at 400 features a second, 4 ms gave every sample a message of its own.
const LINGER: Duration = Duration::from_millis(20);
/// How often a reader that gets nothing hears why, where the driver knows.
const TELL: Duration = Duration::from_secs(2);
/// Samples whose homes are looked for at a time: a hundred microseconds of work.
const PLANNED: usize = 256;
/// Before anything was read, one in so many of the window's runs may be in work.
const AT_FIRST: usize = 4;

/// Makes the samples of a stream.
struct Driver {
    offer: Arc<Offer>,
    calls: Calls,
    handing: Handing,
    requests: Vec<SampleRequest>,
    batch_bytes: ByteCount,
    fields: AskedFields,
    outbox: Arc<Outbox>,
    /// Places in the requests that are no part of a leg yet.
    unplanned: Range<usize>,
    /// Legs that are not begun yet.
    todo: VecDeque<Leg>,
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
    (call, handing): (Call, Handing),
    (batch_bytes, fields): (ByteCount, AskedFields),
    (peer, place): (Peer, OwnedSemaphorePermit),
) -> Body {
    let house = &offer.house;
    let open = OpenStream::new(&house.metrics, (offer.counts.clone(), offer.trace.clone()), place);
    let account = call.job.account().clone();
    let outbox = Arc::new(Outbox::new(account, peer, house.streams.share(), open));
    house.streams.add(&outbox);
    let driver = Driver::new(offer, requests, (call, handing), (batch_bytes, fields), Arc::clone(&outbox));
    Body::new(outbox, AbortOnDropHandle::new(tokio::spawn(driver.drive())))
}

// === impl Driver ===

impl Driver {
    fn new(
        offer: Arc<Offer>,
        requests: Vec<SampleRequest>,
        (call, handing): (Call, Handing),
        (batch_bytes, fields): (ByteCount, AskedFields),
        outbox: Arc<Outbox>,
    ) -> Self {
        let (now, calls, unplanned) = (Instant::now(), Calls::new(call), 0..requests.len());
        let (todo, working, batch) = (VecDeque::new(), FuturesUnordered::new(), Batch::new());
        let (closes, tells, rests, most) = (now, now + TELL, false, 0);
        let mut driver = Self {
            offer,
            calls,
            handing,
            requests,
            batch_bytes,
            fields,
            outbox,
            unplanned,
            todo,
            working,
            most,
            batch,
            closes,
            tells,
            rests,
        };
        driver.plan_on();
        let planned = (driver.todo.len(), driver.unplanned.start);
        driver.most = most_runs(&driver.offer, &driver.requests, planned, handing);
        driver
    }

    async fn drive(mut self) {
        while !self.outbox.is_ended() {
            if let Some(places) = self.outbox.take_shed() {
                self.start_again(places);
            }
            self.rests &= !self.outbox.is_read();
            self.begin();
            let room = self.outbox.has_room();
            let idle = self.working.is_empty() && self.todo.is_empty() && self.unplanned.is_empty();
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
        let account = self.calls.own.job.account().clone();
        let short = || account.waits() == Some(Waits::Memory);
        while !self.rests
            && self.working.len() < window
            && (self.working.is_empty() || !short())
            && let Some(leg) = self.next()
        {
            let requests = leg.places.iter().map(|place| self.requests[*place].clone()).collect();
            self.working.push(Run::begin(leg, requests, &self.offer, &self.calls));
        }
    }

    fn next(&mut self) -> Option<Leg> {
        if self.todo.is_empty() {
            self.plan_on();
        }
        self.todo.pop_front()
    }

    /// Plans further samples. Where the store is shared that is done in pieces, since it takes time and others come and
    /// go meanwhile.
    fn plan_on(&mut self) {
        let piece = if self.handing == Handing::Never { usize::MAX } else { PLANNED };
        let end = self.unplanned.start.saturating_add(piece).min(self.unplanned.end);
        let legs = plan(&self.offer, &self.requests, self.unplanned.start..end, self.handing);
        self.unplanned.start = end;
        self.todo.extend(legs);
    }

    /// Whether the reader has nothing to read, and the samples that come next wait for the store.
    fn is_stalled(&self) -> bool {
        let has_nothing = self.outbox.is_empty() && self.batch.is_empty();
        has_nothing && self.calls.own.job.account().waits() == Some(Waits::Store)
    }

    fn window(&self) -> usize {
        let first = self.most.div_ceil(AT_FIRST).max(self.offer.house.resources.workers() + 1);
        opened(first, self.outbox.messages()).min(self.most)
    }

    /// Lays what was made into the outbox.
    fn take(&mut self, (run, samples): Ended) {
        self.tells = Instant::now() + TELL;
        // HTTP/2 has one whole message at least.
        let most = self.batch_bytes.as_usize().min(self.outbox.share.bytes());
        let lost = || run.iter().map(|place| Some(lost(&self.requests[*place]))).collect();
        let samples = samples.unwrap_or_else(lost);
        for (place, sample) in run.into_iter().zip(samples) {
            let Some(sample) = sample else {
                self.todo.push_front(Leg::alone(place));
                continue;
            };
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
        places.extend(self.working.iter().flat_map(|run| run.places().iter().copied()));
        self.working.clear();
        self.offer.house.metrics.shed.inc_by(places.len() as u64);
        self.offer.trace.shed(places.len());
        places.sort_unstable();
        let one = |place: usize| plan(&self.offer, &self.requests, [place].into_iter(), self.handing);
        let legs = places.into_iter().flat_map(one).collect();
        plan_again(&mut self.todo, legs, self.outbox.awaited().map(|place| place as usize));
        self.rests = true;
    }

    fn tell(&mut self) {
        self.tells = Instant::now() + TELL;
        if let Some(waits) = self.calls.own.job.account().waits() {
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

/// A window that was `first` wide, twice as wide after each of these messages: bits that a shift drops would close it.
fn opened(first: usize, messages: u32) -> usize {
    first.saturating_mul(2_usize.saturating_pow(messages))
}

/// Plans these legs of one sample each before everything else, and before them the sample for which all others wait,
/// whether it is among these or was planned already.
fn plan_again(todo: &mut VecDeque<Leg>, legs: Vec<Leg>, awaited: Option<usize>) {
    legs.into_iter().rev().for_each(|leg| todo.push_front(leg));
    let awaited = awaited.and_then(|place| todo.iter().position(|leg| leg.places == [place]));
    if let Some(leg) = awaited.and_then(|at| todo.remove(at)) {
        todo.push_front(leg);
    }
}

/// Most runs in work at a time: as many as make a window of samples, or as keep every CPU worker at work. The first so
/// many samples make so many runs.
fn most_runs(offer: &Offer, requests: &[SampleRequest], (runs, samples): (usize, usize), handing: Handing) -> usize {
    if handing == Handing::Never && requests.iter().all(|request| matches!(request.wanted, Wanted::JpegCrop(_))) {
        // Crops that are cut further ahead leave the cores' caches before they are sent.
        return offer.house.resources.workers() + 1;
    }
    // A model's next batch fills while one runs, on each of its devices.
    let model = requests.iter().find_map(|request| request.wanted.model());
    let for_model = model.map_or(0, |model| 4 * model.max_batch().get() * model.devices().iter().count());
    (offer.house.stream_window.get().max(for_model) * runs).div_ceil(samples.max(1)).max(2)
}

/// The place of a sample in its request, as it travels. The bound of samples in a call is far below what it can say.
fn position(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::Route;

    #[test]
    fn the_window_opens_with_every_message_and_never_closes() {
        assert_eq!([0, 1, 3].map(|messages| opened(6, messages)), [6, 12, 48]);
        for first in [1, 3, 48, 4096] {
            assert!((0..200).all(|messages| opened(first, messages) <= opened(first, messages + 1)), "{first}");
        }
    }

    #[test]
    fn the_sample_that_all_others_wait_for_is_made_first() {
        let leg = |places: &[usize]| Leg { places: places.to_vec(), route: Route::Own };
        let planned = |places: &[usize], awaited| {
            let mut todo = VecDeque::from([leg(&[5]), leg(&[7, 8])]);
            plan_again(&mut todo, places.iter().map(|place| leg(&[*place])).collect(), awaited);
            todo.into_iter().map(|leg| leg.places).collect::<Vec<_>>()
        };
        let all = |legs: &[&[usize]]| legs.iter().map(|places| places.to_vec()).collect::<Vec<_>>();
        assert_eq!(planned(&[2, 4], None), all(&[&[2], &[4], &[5], &[7, 8]]));
        assert_eq!(planned(&[2, 4], Some(4)), all(&[&[4], &[2], &[5], &[7, 8]]));
        assert_eq!(planned(&[2, 4], Some(5)), all(&[&[5], &[2], &[4], &[7, 8]]), "it was planned already");
    }
}
