//! What of a stream is ready, and how far it has come.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Instant;

use tokio::sync::Notify;
use tonic::Status;

use crate::batch::Batch;

use super::open_stream::OpenStream;
use super::sending::Sending;

/// The state of one stream, behind its lock. The driver and the body wait for changes to it.
pub(super) struct Lane {
    state: Mutex<LaneState>,
    /// Notified when there is something new for the driver: room, a reader that reads, or something to make again.
    pub(super) driver: Notify,
}

/// What of a stream is ready for the network, and how far it has come.
pub(super) struct LaneState {
    pub(super) batches: VecDeque<Batch>,
    pub(super) sending: Option<Sending>,
    /// Bytes that HTTP/2 has.
    pub(super) underway: usize,
    /// When HTTP/2 last got rid of something, or was first given something.
    pub(super) taken: Instant,
    /// Messages that were taken since the start, or since something was shed.
    pub(super) messages: u32,
    /// Whether the network would take something, and there is nothing.
    pub(super) hungry: bool,
    pub(super) body: Option<Waker>,
    /// Places in the request that are to be made again; `None` where nothing was shed.
    pub(super) shed: Option<Vec<u32>>,
    pub(super) shed_at: Option<Instant>,
    /// The status with which the stream ends. The body takes it once.
    pub(super) end: Option<Status>,
    pub(super) ended: Option<Instant>,
    /// Whether the stream ended otherwise than with its last sample.
    pub(super) cut_off: bool,
    /// Counts the stream as one of the server's, until it ends.
    pub(super) open: Option<OpenStream>,
}

// === impl Lane ===

impl Lane {
    pub(super) fn new(open: OpenStream) -> Self {
        let state = LaneState {
            batches: VecDeque::new(),
            sending: None,
            underway: 0,
            taken: Instant::now(),
            messages: 0,
            hungry: false,
            body: None,
            shed: None,
            shed_at: None,
            end: None,
            ended: None,
            cut_off: false,
            open: Some(open),
        };
        Self { state: Mutex::new(state), driver: Notify::new() }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, LaneState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes the body, once nothing is locked.
pub(super) fn wake(mut state: MutexGuard<'_, LaneState>) {
    let body = state.body.take();
    drop(state);
    if let Some(body) = body {
        body.wake();
    }
}

// === impl LaneState ===

impl LaneState {
    /// Begins to wait for the network, where there was nothing for it before.
    pub(super) fn begin(&mut self) {
        if !self.has_something() {
            self.taken = Instant::now();
        }
    }

    /// Whether there is something that the network has not got rid of.
    pub(super) fn has_something(&self) -> bool {
        let sending = self.sending.as_ref().is_some_and(Sending::has_something);
        self.underway > 0 || sending || !self.batches.is_empty()
    }

    /// The place of the sample that was given up in the middle, until it is there again.
    pub(super) fn awaited(&self) -> Option<u32> {
        self.sending.as_ref().filter(|sending| !sending.has_something()).map(|sending| sending.position)
    }

    /// Drops what HTTP/2 does not have, and remembers what is to be made again.
    pub(super) fn give_up(&mut self) {
        let shed = self.shed.get_or_insert_default();
        if let Some(sending) = &mut self.sending
            && sending.give_up()
        {
            shed.push(sending.position);
        }
        shed.extend(self.batches.drain(..).flat_map(|batch| batch.positions().collect::<Vec<_>>()));
        self.messages = 0;
    }
}
