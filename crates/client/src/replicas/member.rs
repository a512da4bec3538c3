//! One server of a partition, and what is thought of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use crate::connection::Server;
use crate::description::INSTANCE_BYTES;
use crate::error::ClientError;
use crate::trouble::Trouble;

/// A server of a partition.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) server: Arc<Server>,
    /// By which it is asked whether it is there.
    pub(crate) aside: Server,
    /// By which it is known under all its addresses, until it is started anew.
    pub(crate) instance: [u8; INSTANCE_BYTES],
    /// Connections that calls hold.
    busy: AtomicUsize,
    standing: AtomicU8,
}

/// What is thought of a server, from best to worst: of those that are there the best is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// It answers.
    Up,
    /// A call to it has ended badly, and nobody has asked it since.
    Doubted,
    /// It does not answer, or has another generation of the dataset.
    Down,
    /// It is not among those that are named any more.
    Gone,
}

// === impl Member ===

impl Member {
    pub(crate) fn new(server: Arc<Server>, instance: [u8; INSTANCE_BYTES]) -> Result<Self, ClientError> {
        let (aside, standing) = (server.aside()?, AtomicU8::new(Standing::Up as u8));
        Ok(Self { server, aside, instance, busy: AtomicUsize::new(0), standing })
    }

    pub(crate) fn standing(&self) -> Standing {
        const ALL: [Standing; 4] = [Standing::Up, Standing::Doubted, Standing::Down, Standing::Gone];
        let place = usize::from(self.standing.load(Ordering::Relaxed));
        ALL.get(place).copied().unwrap_or(Standing::Gone)
    }

    /// Notes what is thought of it now, and says what was thought before.
    pub(crate) fn stands(&self, now: Standing) -> Standing {
        let before = self.standing();
        self.standing.store(now as u8, Ordering::Relaxed);
        before
    }

    /// It does not answer, or has something else. The log says so where it was thought to be there.
    pub(crate) fn goes(&self, trouble: &Trouble) {
        if self.stands(Standing::Down) < Standing::Down {
            let server = self.server.address();
            tracing::warn!(%server, %trouble, "a server is gone: its replicas are asked until it is back");
        }
    }

    /// Doubts a server that was thought to be up.
    pub(crate) fn doubt(&self) {
        let (up, doubted) = (Standing::Up as u8, Standing::Doubted as u8);
        // Whoever knew it to be down knows better.
        let _ = self.standing.compare_exchange(up, doubted, Ordering::Relaxed, Ordering::Relaxed);
    }

    pub(crate) fn busy(&self) -> usize {
        self.busy.load(Ordering::Relaxed)
    }

    pub(crate) fn take_up(&self) {
        self.busy.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn let_go(&self) {
        self.busy.fetch_sub(1, Ordering::Relaxed);
    }
}
