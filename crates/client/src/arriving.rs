//! Time in which bytes that somebody waits for are underway: only in that can a network be too slow.
//!
//! A server writes an HTTP/2 frame when all of it is there. So from a frame's first byte here to its last, its sender
//! has more bytes ready, and what is waited for is the network. Before the first byte it may be the network as well as
//! the server's disk, its cores or its model: that time says nothing, and does not count. Time in which the reader has
//! no room for what comes does not count either.
//!
//! Two alternatives lost. Time in which a call waits for anything makes two servers of which one computes look like a
//! slow network, since somebody always waits. And a server cannot be asked: its socket's buffer takes megabytes before
//! the server sees the network at all.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Adds up the time in which awaited bytes are underway on one connection, or on several.
#[derive(Debug)]
pub(crate) struct Arriving(Mutex<Sum>);

#[derive(Debug)]
struct Sum {
    /// Connections on which awaited bytes are underway.
    connections: u32,
    /// Until `since`.
    sum: Duration,
    since: Instant,
}

/// One connection: whether somebody waits for what it brings, and whether it is in the middle of bringing it.
#[derive(Debug)]
pub(crate) struct Line {
    arriving: Arc<Arriving>,
    state: Mutex<LineState>,
    /// Bytes that have come.
    received: AtomicU64,
}

#[derive(Clone, Copy, Debug, Default)]
struct LineState {
    awaited: bool,
    underway: bool,
}

/// Somebody waits for what a connection brings, until this is dropped.
#[derive(Debug)]
pub(crate) struct Wait<'a>(&'a Line);

// === impl Arriving ===

impl Arriving {
    /// The sum until now.
    pub(crate) fn time(&self) -> Duration {
        let mut sum = self.lock();
        sum.count();
        sum.sum
    }

    fn change(&self, more: bool) {
        let mut sum = self.lock();
        sum.count();
        sum.connections = if more { sum.connections + 1 } else { sum.connections.saturating_sub(1) };
    }

    fn lock(&self) -> MutexGuard<'_, Sum> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Arriving {
    fn default() -> Self {
        Self(Mutex::new(Sum { connections: 0, sum: Duration::ZERO, since: Instant::now() }))
    }
}

// === impl Sum ===

impl Sum {
    fn count(&mut self) {
        let now = Instant::now();
        if self.connections > 0 {
            self.sum += now - self.since;
        }
        self.since = now;
    }
}

// === impl Line ===

impl Line {
    pub(crate) fn new(arriving: Arc<Arriving>) -> Self {
        Self { arriving, state: Mutex::default(), received: AtomicU64::new(0) }
    }

    /// Somebody waits.
    pub(crate) fn wait(&self) -> Wait<'_> {
        self.update(|state| state.awaited = true);
        Wait(self)
    }

    /// So many bytes have come.
    pub(crate) fn has_read(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// How many bytes have come: as long as they do, the server is there, however slow the network is.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// The first bytes of something have come, or its last.
    pub(crate) fn underway(&self, underway: bool) {
        self.update(|state| state.underway = underway);
    }

    fn update(&self, update: impl FnOnce(&mut LineState)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let before = state.counts();
        update(&mut state);
        if state.counts() != before {
            self.arriving.change(state.counts());
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.update(|state| *state = LineState::default());
    }
}

// === impl LineState ===

impl LineState {
    fn counts(self) -> bool {
        self.awaited && self.underway
    }
}

// === impl Wait ===

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.0.update(|state| state.awaited = false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn time_counts_once_on_however_many_connections_while_somebody_waits_for_what_is_underway() {
        let arriving = Arc::new(Arriving::default());
        let lines = [Line::new(Arc::clone(&arriving)), Line::new(Arc::clone(&arriving))];
        let pass = |seconds| tokio::time::sleep(Duration::from_secs(seconds));
        lines[0].underway(true);
        pass(2).await;
        assert_eq!(arriving.time(), Duration::ZERO, "nobody waits");
        let waits = [lines[0].wait(), lines[1].wait()];
        pass(3).await;
        lines[1].underway(true);
        pass(1).await;
        lines[0].underway(false);
        pass(1).await;
        assert_eq!(arriving.time(), Duration::from_secs(5));
        lines[1].underway(false);
        pass(7).await;
        assert_eq!(arriving.time(), Duration::from_secs(5), "nothing is underway, whoever waits");
        lines[1].underway(true);
        drop(waits);
        pass(7).await;
        assert_eq!(arriving.time(), Duration::from_secs(5));
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_is_lost_ends_its_time() {
        let arriving = Arc::new(Arriving::default());
        let line = Line::new(Arc::clone(&arriving));
        line.underway(true);
        std::mem::forget(line.wait());
        drop(line);
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(arriving.time(), Duration::ZERO);
    }
}
