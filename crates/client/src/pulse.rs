//! Signs of life of one server, shared by the workers that fetch from it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// When the server last gave a sign of life, and what was said of its silence.
#[derive(Debug)]
pub(crate) struct Pulse {
    last: Mutex<Instant>,
    /// Workers that hold a sample for which the reader has no room: the server is not to blame for silence.
    holding: AtomicUsize,
    /// When it was last said that the server is busy.
    said_busy: Mutex<Option<Instant>>,
    /// Whether the log says already that the server is silent, in this silence.
    is_said: AtomicBool,
}

/// How often the log says that a server is busy: there are many workers, and each hears it every two seconds.
const SAY_BUSY: Duration = Duration::from_secs(30);
/// Silence after which the log says so: a server that starts anew takes less.
const WORTH_A_WORD: Duration = Duration::from_secs(10);

/// A worker holds a sample, until this is dropped.
pub(crate) struct Holding<'a>(&'a Pulse);

// === impl Pulse ===

impl Default for Pulse {
    fn default() -> Self {
        let last = Mutex::new(Instant::now());
        Self { last, holding: AtomicUsize::new(0), said_busy: Mutex::new(None), is_said: AtomicBool::new(false) }
    }
}

impl Pulse {
    /// The server has answered.
    pub(crate) fn beat(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.is_said.store(false, Ordering::Relaxed);
    }

    /// Whether the log should say now how long the server has been silent: once in each silence.
    pub(crate) fn is_worth_a_word(&self) -> bool {
        self.silence() >= WORTH_A_WORD && !self.is_said.swap(true, Ordering::Relaxed)
    }

    /// Whether the log should say now that the server is busy.
    pub(crate) fn hears_busy(&self) -> bool {
        let mut said = self.said_busy.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let long_ago = said.is_none_or(|said| now.duration_since(said) >= SAY_BUSY);
        if long_ago {
            *said = Some(now);
        }
        long_ago
    }

    /// For how long the server has not answered. Time in which a worker holds a sample is not the server's fault, and
    /// does not count.
    pub(crate) fn silence(&self) -> Duration {
        if self.holding.load(Ordering::Relaxed) > 0 {
            return Duration::ZERO;
        }
        self.last.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    /// A worker has a sample for which the reader has no room.
    pub(crate) fn hold(&self) -> Holding<'_> {
        self.holding.fetch_add(1, Ordering::Relaxed);
        Holding(self)
    }
}

// === impl Holding ===

impl Drop for Holding<'_> {
    fn drop(&mut self) {
        self.0.beat();
        self.0.holding.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_server_is_silent_from_its_last_answer_but_not_while_the_reader_makes_it_wait() {
        let pulse = Pulse::default();
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
        let pulse = Pulse::default();
        for _ in 0..2 {
            tokio::time::advance(WORTH_A_WORD - Duration::from_secs(1)).await;
            assert!(!pulse.is_worth_a_word());
            tokio::time::advance(Duration::from_secs(1)).await;
            assert!(pulse.is_worth_a_word() && !pulse.is_worth_a_word());
            pulse.beat();
        }
    }
}
