//! Photos that are being taken in: the same bytes one at a time.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use headwater_types::Digest;
use tokio::sync::Notify;

/// The photos that are being taken in.
#[derive(Default)]
pub(super) struct Busy {
    digests: Mutex<HashSet<Digest>>,
    ended: Notify,
}

/// One of them, until this is dropped.
pub(super) struct Turn<'a> {
    busy: &'a Busy,
    digest: Digest,
}

// === impl Busy ===

impl Busy {
    fn lock(&self) -> MutexGuard<'_, HashSet<Digest>> {
        self.digests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until no other call takes these bytes in.
    pub(super) async fn turn(&self, digest: Digest) -> Turn<'_> {
        loop {
            let ended = self.ended.notified();
            if self.lock().insert(digest) {
                return Turn { busy: self, digest };
            }
            ended.await;
        }
    }
}

// === impl Turn ===

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.busy.lock().remove(&self.digest);
        self.busy.ended.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn the_same_bytes_have_one_turn_and_others_their_own() {
        let (busy, digest) = (Busy::default(), Digest::of(b"photo"));
        let first = busy.turn(digest).await;
        let mut second = std::pin::pin!(busy.turn(digest));
        assert!((&mut second).now_or_never().is_none());
        assert!(busy.turn(Digest::of(b"another")).now_or_never().is_some());
        assert!((&mut second).now_or_never().is_none(), "it is woken, and has no turn still");
        drop(first);
        assert!(second.now_or_never().is_some());
    }
}
