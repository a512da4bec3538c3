//! Bytes that HTTP/2 has, counted until the socket has taken them.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use headwater_pipeline::Permit;

use super::state::{Lane, LaneState, wake};

/// Bytes that HTTP/2 has, with their memory. They keep their outbox alive, so that a stream that has ended is known to
/// the server until its last byte has gone.
struct Underway<O: AsRef<Lane>> {
    bytes: Vec<u8>,
    outbox: Arc<O>,
    _permits: Vec<Permit>,
}

/// Counts bytes as HTTP/2's until they are dropped. `state` is the state of the outbox's lane.
pub(super) fn underway<O>(outbox: &Arc<O>, state: &mut LaneState, bytes: Vec<u8>, permits: Vec<Permit>) -> Bytes
where
    O: AsRef<Lane> + Send + Sync + 'static,
{
    state.underway += bytes.len();
    Bytes::from_owner(Underway { bytes, outbox: Arc::clone(outbox), _permits: permits })
}

// === impl Underway ===

impl<O: AsRef<Lane>> AsRef<[u8]> for Underway<O> {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl<O: AsRef<Lane>> Drop for Underway<O> {
    fn drop(&mut self) {
        let lane: &Lane = self.outbox.as_ref().as_ref();
        let mut state = lane.lock();
        state.underway -= self.bytes.len();
        state.taken = Instant::now();
        if state.hungry {
            lane.driver.notify_one();
        }
        wake(state);
    }
}
