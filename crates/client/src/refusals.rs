//! Workers that a server refuses because it has as many calls as it takes, and the others of the same server, which may
//! make way.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// How many workers of one server are refused now.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    refused: AtomicUsize,
    changed: Notify,
}

/// A worker is refused, until this is dropped.
#[derive(Debug)]
pub(crate) struct Refused<'a>(&'a Refusals);

// === impl Refusals ===

impl Refusals {
    /// A further worker is refused.
    pub(crate) fn refuse(&self) -> Refused<'_> {
        self.refused.fetch_add(1, Ordering::Relaxed);
        self.changed.notify_waiters();
        Refused(self)
    }

    /// Waits until some worker is refused.
    pub(crate) async fn any(&self) {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if self.refused.load(Ordering::Relaxed) > 0 {
                return;
            }
            changed.await;
        }
    }
}

// === impl Refused ===

impl Drop for Refused<'_> {
    fn drop(&mut self) {
        self.0.refused.fetch_sub(1, Ordering::Relaxed);
    }
}
