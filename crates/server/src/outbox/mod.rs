//! What of a fetch stream is ready and not with the network yet: made by its [driver](crate::stream), taken by its
//! [body](crate::body), and given up where memory is short and nobody reads it (by [`Streams`](crate::streams::Streams)).
//!
//! ```text
//!            driver ─▶ batches ─▶ a message ─▶ pieces ─▶ HTTP/2 ─▶ socket
//!              ▲          │          │           └ at most so many bytes, counted until the socket has taken them
//!              └──────────┴──────────┘
//!               shed: made again once the network takes something
//! ```
//!
//! A small message goes as a whole. A large sample goes piece by piece, each a copy, so that what HTTP/2 has of it is small and the
//! sample itself can be given up in the middle: it is a function of the request, and goes on at the same byte when it has been made again.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use headwater_pipeline::{Account, Finished, Permit, Prepared};
use headwater_wire::status::Refusal;
use headwater_wire::{framed, proto};
use tokio::sync::Notify;
use tonic::{Code, Status};

use crate::allowance::{PIECE, Share};
use crate::batch::Batch;
use crate::metrics::Metrics;
use crate::peer::Peer;
use crate::stream::Open;

/// Batches that wait for the network. When there are so many the stream's samples wait in their window, and its work stops.
const BATCHES_AHEAD: usize = 2;
/// Bytes of a large sample that HTTP/2 may have. These are copies beside the sample, and in no budget: a thousand streams have 128 MiB of
/// them at most.
const UNDERWAY_IN_PIECES: usize = 2 * PIECE;
/// Times that a sample is made again in the middle before its reader is too slow for it.
const MOST_REMADE: u32 = 3;

/// A stream's way out.
pub(crate) struct Outbox {
    /// Whose memory it is.
    pub(crate) account: Account,
    /// Who reads it.
    pub(crate) peer: Peer,
    /// Bytes that HTTP/2 may have of small messages.
    pub(crate) share: Share,
    metrics: Arc<Metrics>,
    state: Mutex<State>,
    /// There is something new for the driver: room, a reader that reads, or something to make again.
    driver: Notify,
}

struct State {
    batches: VecDeque<Batch>,
    sending: Option<Sending>,
    /// Bytes that HTTP/2 has.
    underway: usize,
    /// When HTTP/2 last got rid of something, or was first given something.
    taken: Instant,
    /// Messages that were taken since the start, or since something was shed.
    messages: u32,
    /// The network would take something, and there is nothing.
    hungry: bool,
    body: Option<Waker>,
    /// Places in the request that are to be made again.
    shed: Vec<u32>,
    shed_at: Option<Instant>,
    /// Nothing comes any more: with this status, once, and then never again.
    end: Option<Status>,
    ended: Option<Instant>,
    /// It ended otherwise than with its last sample.
    cut_off: bool,
    /// Counts as one of the server's streams.
    open: Option<Open>,
}

/// A large sample of which a part has gone.
struct Sending {
    position: u32,
    /// `None`: given up, to be made again.
    sample: Option<(Bytes, Permit)>,
    checksum: u64,
    length: usize,
    gone: usize,
    remade: u32,
}

/// Bytes that HTTP/2 has, with their memory.
struct Underway {
    bytes: Vec<u8>,
    outbox: Arc<Outbox>,
    _permits: Vec<Permit>,
}

/// What a body gives next.
pub(crate) enum Next {
    Bytes(Bytes),
    End(Status),
}

// === impl Outbox ===

impl Outbox {
    pub(crate) fn new(account: Account, peer: Peer, share: Share, metrics: Arc<Metrics>, open: Open) -> Self {
        let state = State {
            batches: VecDeque::new(),
            sending: None,
            underway: 0,
            taken: Instant::now(),
            messages: 0,
            hungry: false,
            body: None,
            shed: Vec::new(),
            shed_at: None,
            end: None,
            ended: None,
            cut_off: false,
            open: Some(open),
        };
        Self { account, peer, share, metrics, state: Mutex::new(state), driver: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // --- for the driver

    /// Waits until there is something new for the driver.
    pub(crate) async fn changed(&self) {
        self.driver.notified().await;
    }

    /// Whether another batch may wait.
    pub(crate) fn has_room(&self) -> bool {
        self.lock().batches.len() < BATCHES_AHEAD
    }

    /// Whether all that was pushed has gone.
    pub(crate) fn is_empty(&self) -> bool {
        let state = self.lock();
        state.batches.is_empty() && state.sending.is_none() && state.shed.is_empty()
    }

    /// Whether the network waits for something, and has taken something since the last that was shed.
    pub(crate) fn is_read(&self) -> bool {
        let state = self.lock();
        state.hungry && (state.underway == 0 || state.shed_at.is_none_or(|shed| state.taken > shed))
    }

    /// Messages that the network has taken since the start, or since something was shed.
    pub(crate) fn messages(&self) -> u32 {
        self.lock().messages
    }

    /// Whether nothing will be taken any more.
    pub(crate) fn is_ended(&self) -> bool {
        self.lock().ended.is_some()
    }

    /// A batch that is to be sent.
    pub(crate) fn push(&self, batch: Batch) {
        let mut state = self.lock();
        if state.ended.is_none() {
            state.begin();
            state.batches.push_back(batch.close());
            wake(state);
        }
    }

    /// What is to be made again, the first first; `None` where nothing was shed.
    pub(crate) fn take_shed(&self) -> Option<Vec<u32>> {
        let shed = mem::take(&mut self.lock().shed);
        (!shed.is_empty()).then_some(shed)
    }

    /// The sample of this place goes on where it was given up, if it is the one; else it is given back.
    pub(crate) fn restore(&self, position: u32, prepared: Prepared) -> Option<Prepared> {
        let mut state = self.lock();
        let Some(sending) = state.sending.as_mut().filter(|sending| sending.awaits(position)) else {
            return Some(prepared);
        };
        match prepared.outcome {
            Ok(Finished { parts, permit }) if sending.is(prepared.index.0, &parts.bytes) => {
                sending.sample = Some((parts.bytes, permit));
            }
            _ => {
                let status = Status::aborted("a sample has changed while it was sent: ask again for what is missing");
                self.end_locked(&mut state, status);
            }
        }
        wake(state);
        None
    }

    /// Says that samples wait, where nothing else is there to be sent.
    pub(crate) fn tell(&self, waiting: proto::Waiting) {
        let mut state = self.lock();
        if state.batches.is_empty() && state.sending.is_none() && state.underway == 0 && state.ended.is_none() {
            state.begin();
            state.batches.push_back(Batch::waiting(waiting));
            wake(state);
        }
    }

    /// All has been sent.
    pub(crate) fn finish(&self) {
        self.end(Status::new(Code::Ok, ""));
    }

    // --- for the body

    /// What the network gets next.
    pub(crate) fn poll(self: &Arc<Self>, context: &mut Context<'_>) -> Poll<Option<Next>> {
        let mut state = self.lock();
        if let Some(status) = state.end.take() {
            return Poll::Ready(Some(Next::End(status)));
        }
        if state.ended.is_some() {
            return Poll::Ready(None);
        }
        let next = self.next(&mut state);
        let hungry = matches!(next, Ok(None)) && !self.is_waiting_for_socket(&state);
        let was_hungry = mem::replace(&mut state.hungry, hungry);
        match next {
            Ok(Some(bytes)) => {
                drop(state);
                self.driver.notify_one();
                Poll::Ready(Some(Next::Bytes(bytes)))
            }
            Ok(None) => {
                state.body = Some(context.waker().clone());
                drop(state);
                if hungry && !was_hungry {
                    self.driver.notify_one();
                }
                Poll::Pending
            }
            Err(status) => {
                self.end_locked(&mut state, status);
                Poll::Ready(state.end.take().map(Next::End))
            }
        }
    }

    /// The next bytes; `None` where there are none, or HTTP/2 has enough.
    fn next(self: &Arc<Self>, state: &mut State) -> Result<Option<Bytes>, Status> {
        if self.is_waiting_for_socket(state) {
            return Ok(None);
        }
        if let Some(sending) = &mut state.sending {
            let Some(piece) = sending.piece() else { return Ok(None) };
            if sending.gone == sending.length {
                state.sending = None;
            }
            return Ok(Some(self.underway(state, piece, Vec::new())));
        }
        let Some(batch) = state.batches.pop_front() else { return Ok(None) };
        state.messages = state.messages.saturating_add(1);
        if !batch.is_empty() {
            self.metrics.sent(&batch);
        }
        let too_large = || Status::internal("a message of 4 GiB or more");
        let (mut message, mut permits) = batch.into_message();
        if let [sample] = &mut message.samples[..]
            && sample.payload.len() > self.share.bytes()
            && let Some(permit) = permits.pop()
        {
            let payload = mem::take(&mut sample.payload);
            let head = framed::head(sample, payload.len()).ok_or_else(too_large)?;
            state.sending = Some(Sending {
                position: sample.position.unwrap_or_default(),
                checksum: sample.checksum,
                length: payload.len(),
                sample: Some((payload, permit)),
                gone: 0,
                remade: 0,
            });
            return Ok(Some(self.underway(state, head, Vec::new())));
        }
        let bytes = framed::message(&message).ok_or_else(too_large)?;
        Ok(Some(self.underway(state, bytes, permits)))
    }

    fn underway(self: &Arc<Self>, state: &mut State, bytes: Vec<u8>, permits: Vec<Permit>) -> Bytes {
        state.underway += bytes.len();
        Bytes::from_owner(Underway { bytes, outbox: Arc::clone(self), _permits: permits })
    }

    fn is_waiting_for_socket(&self, state: &State) -> bool {
        state.underway >= if state.sending.is_some() { UNDERWAY_IN_PIECES } else { self.share.bytes() }
    }

    // --- for who watches over all streams

    /// For how long the network has taken nothing of what is ready for it.
    pub(crate) fn stalled_for(&self) -> Option<Duration> {
        let state = self.lock();
        (state.ended.is_none() && state.has_something()).then(|| state.taken.elapsed())
    }

    /// For how long the network has taken nothing of what is left, where the stream was cut off.
    pub(crate) fn unheard_for(&self) -> Option<Duration> {
        let state = self.lock();
        state.ended.filter(|_| state.cut_off).map(|ended| ended.max(state.taken).elapsed())
    }

    /// Gives up everything that HTTP/2 does not have; it is made again once the network takes something.
    pub(crate) fn shed(&self) {
        let mut state = self.lock();
        if state.ended.is_some() {
            return;
        }
        state.give_up();
        state.shed_at = Some(Instant::now());
        if state.sending.as_ref().is_some_and(|sending| sending.remade > MOST_REMADE) {
            let status = self.metrics.refuse(Refusal::Unread { seconds: state.taken.elapsed().as_secs() });
            self.end_locked(&mut state, status);
            wake(state);
        }
        self.driver.notify_one();
    }

    /// Ends the stream: its reader finds this status behind what HTTP/2 has.
    pub(crate) fn end(&self, status: Status) {
        let mut state = self.lock();
        self.end_locked(&mut state, status);
        wake(state);
    }

    fn end_locked(&self, state: &mut State, status: Status) {
        state.give_up();
        if state.ended.is_none() {
            state.ended = Some(Instant::now());
            state.cut_off = status.code() != Code::Ok;
            state.end = Some(status);
        }
        (state.sending, state.open) = (None, None);
        self.driver.notify_one();
    }
}

/// Wakes the body, once nothing is locked.
fn wake(mut state: MutexGuard<'_, State>) {
    let body = state.body.take();
    drop(state);
    if let Some(body) = body {
        body.wake();
    }
}

// === impl State ===

impl State {
    /// Something comes where nothing was: from now on the network is waited for.
    fn begin(&mut self) {
        if !self.has_something() {
            self.taken = Instant::now();
        }
    }

    fn has_something(&self) -> bool {
        let sending = self.sending.as_ref().is_some_and(|sending| sending.sample.is_some());
        self.underway > 0 || sending || !self.batches.is_empty()
    }

    /// Drops what HTTP/2 does not have, and remembers what is to be made again.
    fn give_up(&mut self) {
        if let Some(sending) = &mut self.sending
            && sending.sample.take().is_some()
        {
            sending.remade += 1;
            self.shed.push(sending.position);
        }
        self.shed.extend(self.batches.drain(..).flat_map(|batch| batch.positions().collect::<Vec<_>>()));
        self.messages = 0;
    }
}

// === impl Sending ===

impl Sending {
    /// The next piece; `None` where the sample was given up.
    fn piece(&mut self) -> Option<Vec<u8>> {
        let (payload, _) = self.sample.as_ref()?;
        let end = self.length.min(self.gone + PIECE);
        let piece = payload.get(self.gone..end)?.to_vec();
        self.gone = end;
        Some(piece)
    }

    fn awaits(&self, position: u32) -> bool {
        self.sample.is_none() && self.position == position
    }

    /// Whether this is the payload of which a part has gone.
    fn is(&self, index: u64, payload: &[u8]) -> bool {
        payload.len() == self.length && headwater_wire::checksum(index, payload) == self.checksum
    }
}

// === impl Underway ===

impl AsRef<[u8]> for Underway {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        let mut state = self.outbox.lock();
        state.underway -= self.bytes.len();
        state.taken = Instant::now();
        if state.hungry {
            self.outbox.driver.notify_one();
        }
        wake(state);
    }
}

#[cfg(test)]
mod tests;
