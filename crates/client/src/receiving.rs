//! Time for which somebody waits for bytes: only in that can a network be too slow.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Adds up the time in which one call, or several, wait for more.
#[derive(Debug)]
pub(crate) struct Receiving(Mutex<State>);

#[derive(Debug)]
struct State {
    /// How many wait.
    waiting: u32,
    /// Until `since`.
    sum: Duration,
    since: Instant,
}

/// A call waits, until this is dropped.
#[derive(Debug)]
pub(crate) struct Wait<'a>(&'a Receiving);

// === impl Receiving ===

impl Receiving {
    pub(crate) fn wait(&self) -> Wait<'_> {
        let mut state = self.lock();
        state.count();
        state.waiting += 1;
        Wait(self)
    }

    /// The sum until now.
    pub(crate) fn time(&self) -> Duration {
        let mut state = self.lock();
        state.count();
        state.sum
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Receiving {
    fn default() -> Self {
        Self(Mutex::new(State { waiting: 0, sum: Duration::ZERO, since: Instant::now() }))
    }
}

// === impl State ===

impl State {
    fn count(&mut self) {
        let now = Instant::now();
        if self.waiting > 0 {
            self.sum += now - self.since;
        }
        self.since = now;
    }
}

// === impl Wait ===

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.count();
        state.waiting = state.waiting.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn time_counts_once_however_many_wait_and_while_they_do() {
        let receiving = Receiving::default();
        let pass = |seconds| tokio::time::sleep(Duration::from_secs(seconds));
        pass(2).await;
        let first = receiving.wait();
        pass(3).await;
        let second = receiving.wait();
        pass(1).await;
        drop(first);
        pass(1).await;
        assert_eq!(receiving.time(), Duration::from_secs(5), "one of two still waits");
        drop(second);
        pass(5).await;
        assert_eq!(receiving.time(), Duration::from_secs(5));
    }
}
