//! Bytes that HTTP/2 has, counted until the socket has taken them.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use headwater_pipeline::Permit;

use super::state::{Lane, LaneState, wake};

/// Bytes that HTTP/2 has, with their memory.
struct Underway {
    bytes: Vec<u8>,
    lane: Arc<Lane>,
    _permits: Vec<Permit>,
}

/// Counts bytes as HTTP/2's until they are dropped.
pub(super) fn underway(lane: &Arc<Lane>, state: &mut LaneState, bytes: Vec<u8>, permits: Vec<Permit>) -> Bytes {
    state.underway += bytes.len();
    Bytes::from_owner(Underway { bytes, lane: Arc::clone(lane), _permits: permits })
}

// === impl Underway ===

impl AsRef<[u8]> for Underway {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        let mut state = self.lane.lock();
        state.underway -= self.bytes.len();
        state.taken = Instant::now();
        if state.hungry {
            self.lane.driver.notify_one();
        }
        wake(state);
    }
}
