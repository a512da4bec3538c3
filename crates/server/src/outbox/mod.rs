//! A fetch stream's outbox: samples that are ready and not with the network yet. Its [driver](crate::driver) makes
//! them, its [body](crate::body) takes them, and [`Streams`](crate::streams::Streams) has them given up where memory is
//! short and nobody reads.
//!
//! ```text
//!            driver ─▶ batches ─▶ a message ─▶ pieces ─▶ HTTP/2 ─▶ socket
//!              ▲          │          │           └ at most so many bytes, counted until the socket has taken them
//!              └──────────┴──────────┘
//!               shed: made again once the network takes something
//! ```
//!
//! A small message goes as a whole. A large sample goes [piece by piece](sending).

mod open_stream;
mod sending;
mod state;
mod underway;

use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use headwater_pipeline::{Account, Finished, Prepared};
use headwater_wire::status::Refusal;
use headwater_wire::{framed, proto};
use tonic::{Code, Status};

use crate::allowance::{PIECE, Share};
use crate::batch::Batch;
use crate::metrics::{Metrics, SampleMetrics};
use crate::peer::Peer;
use crate::traces::CallTrace;
use sending::Sending;
use state::{Lane, LaneState, wake};
use underway::underway;

pub(crate) use open_stream::OpenStream;

/// Most batches that wait for the network. When there are so many the stream's samples wait in their window, and its
/// work stops.
const BATCHES_AHEAD: usize = 2;
/// Bytes of a large sample that HTTP/2 may have. These are copies beside the sample, and in no budget: a thousand
/// streams have 128 MiB of them at most.
const UNDERWAY_IN_PIECES: usize = 2 * PIECE;
/// Times that a sample is made again in the middle before its reader is too slow for it.
const MOST_REMADE: u32 = 3;

/// A stream's way out.
pub(crate) struct Outbox {
    /// Whose memory the samples take.
    pub(crate) account: Account,
    /// Who reads the stream.
    pub(crate) peer: Peer,
    /// Bytes that HTTP/2 may have of small messages.
    pub(crate) share: Share,
    metrics: Arc<Metrics>,
    counts: SampleMetrics,
    trace: CallTrace,
    lane: Lane,
}

/// What a body gives next.
pub(crate) enum Next {
    Bytes(Bytes),
    End(Status),
}

// === impl Outbox ===

impl Outbox {
    pub(crate) fn new(account: Account, peer: Peer, share: Share, open: OpenStream) -> Self {
        let (metrics, counts, trace) = (Arc::clone(&open.metrics), open.counts.clone(), open.trace.clone());
        Self { account, peer, share, metrics, counts, trace, lane: Lane::new(open) }
    }

    // --- for the driver

    /// Waits until there is something new for the driver.
    pub(crate) async fn changed(&self) {
        self.lane.driver.notified().await;
    }

    /// Whether another batch may wait. While all batches wait for a sample that was given up in the middle, there is
    /// room for any number of them: that sample may come behind others.
    pub(crate) fn has_room(&self) -> bool {
        let state = self.lane.lock();
        state.batches.len() < BATCHES_AHEAD || state.awaited().is_some()
    }

    /// The place of the sample that was given up in the middle, until it is there again.
    pub(crate) fn awaited(&self) -> Option<u32> {
        self.lane.lock().awaited()
    }

    /// Whether all that was pushed has gone.
    pub(crate) fn is_empty(&self) -> bool {
        let state = self.lane.lock();
        state.batches.is_empty() && state.sending.is_none() && state.shed.is_none()
    }

    /// Whether the network waits for something, and has taken something since samples were last shed.
    pub(crate) fn is_read(&self) -> bool {
        let state = self.lane.lock();
        state.hungry && (state.underway == 0 || state.shed_at.is_none_or(|shed| state.taken > shed))
    }

    /// Messages that the network has taken since the start, or since samples were last shed.
    pub(crate) fn messages(&self) -> u32 {
        self.lane.lock().messages
    }

    /// Whether nothing will be taken any more.
    pub(crate) fn is_ended(&self) -> bool {
        self.lane.lock().ended.is_some()
    }

    /// Takes a batch that is to be sent.
    pub(crate) fn push(&self, batch: Batch) {
        let mut state = self.lane.lock();
        if state.ended.is_none() {
            state.begin();
            state.batches.push_back(batch.close());
            wake(state);
        }
    }

    /// Places of samples that are to be made again, in order; `None` where nothing was shed. The driver gives up what
    /// it has not pushed yet, too.
    pub(crate) fn take_shed(&self) -> Option<Vec<u32>> {
        self.lane.lock().shed.take()
    }

    /// Goes on with the sample that was given up in the middle, if this is its place. Every other sample is given back.
    pub(crate) fn restore(&self, position: u32, prepared: Prepared) -> Option<Prepared> {
        let mut state = self.lane.lock();
        let is_awaited = state.awaited() == Some(position);
        let Some(sending) = state.sending.as_mut().filter(|_| is_awaited) else { return Some(prepared) };
        let index = prepared.index.0;
        let is_restored = match prepared.outcome {
            Ok(Finished { parts, permit }) => sending.restore(index, parts.bytes, permit),
            Err(_) => false,
        };
        if !is_restored {
            let status = Status::aborted("a sample has changed while it was sent: ask again for what is missing");
            self.end_locked(&mut state, status);
        }
        wake(state);
        None
    }

    /// Says that samples wait, where nothing else is there to be sent.
    pub(crate) fn tell(&self, waiting: proto::Waiting) {
        let mut state = self.lane.lock();
        if state.batches.is_empty() && state.sending.is_none() && state.underway == 0 && state.ended.is_none() {
            state.begin();
            state.batches.push_back(Batch::waiting(waiting));
            wake(state);
        }
    }

    /// Ends the stream after its last sample.
    pub(crate) fn finish(&self) {
        self.end(Status::new(Code::Ok, ""));
    }

    // --- for the body

    /// Gives the network what it gets next.
    pub(crate) fn poll(self: &Arc<Self>, context: &mut Context<'_>) -> Poll<Option<Next>> {
        let mut state = self.lane.lock();
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
                self.lane.driver.notify_one();
                Poll::Ready(Some(Next::Bytes(bytes)))
            }
            Ok(None) => {
                state.body = Some(context.waker().clone());
                drop(state);
                if hungry && !was_hungry {
                    self.lane.driver.notify_one();
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
    fn next(self: &Arc<Self>, state: &mut LaneState) -> Result<Option<Bytes>, Status> {
        if self.is_waiting_for_socket(state) {
            return Ok(None);
        }
        if let Some(sending) = &mut state.sending {
            let Some(piece) = sending.piece() else { return Ok(None) };
            if sending.is_done() {
                state.sending = None;
            }
            return Ok(Some(underway(self, state, piece, Vec::new())));
        }
        let Some(batch) = state.batches.pop_front() else { return Ok(None) };
        state.messages = state.messages.saturating_add(1);
        if !batch.is_empty() {
            self.counts.sent(&batch);
            self.trace.sent(&batch);
        }
        let too_large = || Status::internal("a message of 4 GiB or more");
        let (mut message, mut permits) = batch.into_message();
        if let [sample] = &mut message.samples[..]
            && sample.payload.len() > self.share.bytes()
            && let Some(permit) = permits.pop()
        {
            let payload = mem::take(&mut sample.payload);
            let head = framed::head(sample, payload.len()).ok_or_else(too_large)?;
            let position = sample.position.unwrap_or_default();
            state.sending = Some(Sending::new(position, sample.checksum, payload, permit));
            return Ok(Some(underway(self, state, head, Vec::new())));
        }
        let bytes = framed::message(&message).ok_or_else(too_large)?;
        Ok(Some(underway(self, state, bytes, permits)))
    }

    fn is_waiting_for_socket(&self, state: &LaneState) -> bool {
        state.underway >= if state.sending.is_some() { UNDERWAY_IN_PIECES } else { self.share.bytes() }
    }

    // --- for the watch over all streams

    /// For how long the network has taken nothing of what is ready for it.
    pub(crate) fn stalled_for(&self) -> Option<Duration> {
        let state = self.lane.lock();
        (state.ended.is_none() && state.has_something()).then(|| state.taken.elapsed())
    }

    /// For how long the network has taken nothing of what is left, where the stream was cut off.
    pub(crate) fn unheard_for(&self) -> Option<Duration> {
        let state = self.lane.lock();
        state.ended.filter(|_| state.cut_off).map(|ended| ended.max(state.taken).elapsed())
    }

    /// Gives up everything that HTTP/2 does not have, and has the driver give up what is in work. All of it is made
    /// again once the network takes something.
    pub(crate) fn shed(&self) {
        let mut state = self.lane.lock();
        if state.ended.is_some() {
            return;
        }
        state.give_up();
        state.shed_at = Some(Instant::now());
        if state.sending.as_ref().is_some_and(|sending| sending.given_up > MOST_REMADE) {
            let status = self.metrics.refuse(Refusal::Unread { seconds: state.taken.elapsed().as_secs() });
            self.end_locked(&mut state, status);
            wake(state);
        }
        self.lane.driver.notify_one();
    }

    /// Ends the stream: its reader finds this status behind what HTTP/2 has.
    pub(crate) fn end(&self, status: Status) {
        let mut state = self.lane.lock();
        self.end_locked(&mut state, status);
        wake(state);
    }

    fn end_locked(&self, state: &mut LaneState, status: Status) {
        state.give_up();
        if state.ended.is_none() {
            state.ended = Some(Instant::now());
            state.cut_off = status.code() != Code::Ok;
            if state.cut_off {
                self.trace.cut_off(status.message());
            }
            state.end = Some(status);
        }
        (state.sending, state.open) = (None, None);
        self.lane.driver.notify_one();
    }
}

impl AsRef<Lane> for Outbox {
    fn as_ref(&self) -> &Lane {
        &self.lane
    }
}

#[cfg(test)]
mod tests;
