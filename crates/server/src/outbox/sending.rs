//! A large sample that goes piece by piece, each piece a copy, so that what HTTP/2 has of it is small.
//!
//! The sample can be given up in the middle: it is a function of the request, and goes on at the same byte when it has
//! been made again.

use bytes::Bytes;
use headwater_pipeline::Permit;

use crate::allowance::PIECE;

/// A large sample of which a part has gone.
pub(super) struct Sending {
    pub(super) position: u32,
    /// Payload and memory; `None` while the sample is given up, to be made again.
    sample: Option<(Bytes, Permit)>,
    checksum: u64,
    length: usize,
    /// Bytes that have gone.
    gone: usize,
    /// Times that the sample was given up.
    pub(super) given_up: u32,
}

// === impl Sending ===

impl Sending {
    /// The sample at this place in the request, of which nothing has gone yet.
    pub(super) fn new(position: u32, checksum: u64, payload: Bytes, permit: Permit) -> Self {
        let length = payload.len();
        Self { position, sample: Some((payload, permit)), checksum, length, gone: 0, given_up: 0 }
    }

    /// Whether all of it has gone.
    pub(super) fn is_done(&self) -> bool {
        self.gone == self.length
    }

    /// Whether there is something to be sent.
    pub(super) fn has_something(&self) -> bool {
        self.sample.is_some()
    }

    /// Drops payload and memory; whether there was something to drop.
    pub(super) fn give_up(&mut self) -> bool {
        let had = self.sample.take().is_some();
        self.given_up += u32::from(had);
        had
    }

    /// Goes on with the sample that was made again. `false` where it is another than was sent before.
    pub(super) fn restore(&mut self, index: u64, payload: Bytes, permit: Permit) -> bool {
        let is_same = payload.len() == self.length && headwater_wire::checksum(index, &payload) == self.checksum;
        if is_same {
            self.sample = Some((payload, permit));
        }
        is_same
    }

    /// The next piece; `None` where the sample was given up.
    pub(super) fn piece(&mut self) -> Option<Vec<u8>> {
        let (payload, _) = self.sample.as_ref()?;
        let end = self.length.min(self.gone + PIECE);
        let piece = payload.get(self.gone..end)?.to_vec();
        self.gone = end;
        Some(piece)
    }
}
