//! Signs of life of one server while it is fetched from, shared by the workers that fetch.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

#[derive(Debug)]
pub(crate) struct Pulse {
    last: Mutex<Instant>,
    /// Workers that hold a sample for which the reader has no room: the server is not to blame for silence.
    holding: AtomicUsize,
    /// Workers that the server refuses because it has as many calls as it takes.
    starving: AtomicUsize,
    starved: Notify,
    /// When it was last said that the server is busy.
    said_busy: Mutex<Option<Instant>>,
    /// Somebody has said that it is silent.
    told: AtomicBool,
}

/// A server that stays busy is said to be so often: there are many workers, and each hears it every two seconds.
const SAY_BUSY: Duration = Duration::from_secs(30);
/// Silence that a person is told of: a server that starts anew takes less.
const WORTH_A_WORD: Duration = Duration::from_secs(10);

/// A worker holds a sample, until this is dropped.
pub(crate) struct Holding<'a>(&'a Pulse);

/// A worker is refused, until this is dropped.
pub(crate) struct Starving<'a>(&'a Pulse);

// === impl Pulse ===

impl Pulse {
    pub(crate) fn new() -> Self {
        let last = Mutex::new(Instant::now());
        let (holding, starving, starved, said_busy, told) = Default::default();
        Self { last, holding, starving, starved, said_busy, told }
    }

    /// The server has answered.
    pub(crate) fn beat(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.told.store(false, Ordering::Relaxed);
    }

    /// Whether it is time that somebody says how long the server has been silent: once in each silence.
    pub(crate) fn is_worth_a_word(&self) -> bool {
        self.silence() >= WORTH_A_WORD && !self.told.swap(true, Ordering::Relaxed)
    }

    /// The server is busy: whether to say so.
    pub(crate) fn hears_busy(&self) -> bool {
        let mut said = self.said_busy.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let long_ago = said.is_none_or(|said| now.duration_since(said) >= SAY_BUSY);
        if long_ago {
            *said = Some(now);
        }
        long_ago
    }

    /// For how long it has not.
    pub(crate) fn silence(&self) -> Duration {
        if self.holding.load(Ordering::Relaxed) > 0 {
            return Duration::ZERO;
        }
        self.last.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    pub(crate) fn hold(&self) -> Holding<'_> {
        self.holding.fetch_add(1, Ordering::Relaxed);
        Holding(self)
    }

    pub(crate) fn starve(&self) -> Starving<'_> {
        self.starving.fetch_add(1, Ordering::Relaxed);
        self.starved.notify_waiters();
        Starving(self)
    }

    /// Waits until some worker is refused.
    pub(crate) async fn someone_starves(&self) {
        loop {
            let mut notified = std::pin::pin!(self.starved.notified());
            notified.as_mut().enable();
            if self.starving.load(Ordering::Relaxed) > 0 {
                return;
            }
            notified.await;
        }
    }
}

impl Drop for Holding<'_> {
    fn drop(&mut self) {
        self.0.beat();
        self.0.holding.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Starving<'_> {
    fn drop(&mut self) {
        self.0.starving.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_server_is_silent_from_its_last_answer_but_not_while_the_reader_makes_it_wait() {
        let pulse = Pulse::new();
        tokio::time::advance(Duration::from_secs(9)).await;
        assert_eq!(pulse.silence(), Duration::from_secs(9));
        let holding = pulse.hold();
        tokio::time::advance(Duration::from_secs(90)).await;
        assert_eq!(pulse.silence(), Duration::ZERO);
        drop(holding);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(pulse.silence(), Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_silence_is_told_of_once_and_the_next_one_again() {
        let pulse = Pulse::new();
        for _ in 0..2 {
            tokio::time::advance(WORTH_A_WORD - Duration::from_secs(1)).await;
            assert!(!pulse.is_worth_a_word());
            tokio::time::advance(Duration::from_secs(1)).await;
            assert!(pulse.is_worth_a_word() && !pulse.is_worth_a_word());
            pulse.beat();
        }
    }
}
