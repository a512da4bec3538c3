//! A machine that is slower than this one, for experiments: each step is followed by a sleep of a multiple of its time.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// Slows steps down.
#[derive(Debug)]
pub(super) struct Pace {
    /// How long a step takes, where it would take 1.
    factor: f64,
    since: Instant,
    owed: Duration,
}

/// The least sleep: shorter ones take much longer than they are asked for, and are gathered.
const LEAST_SLEEP: Duration = Duration::from_millis(2);

// === impl Pace ===

impl Pace {
    /// Begins now.
    pub(super) fn new(factor: f64) -> Self {
        Self { factor, since: Instant::now(), owed: Duration::ZERO }
    }

    /// A step has ended.
    pub(super) fn step(&mut self) {
        if self.factor <= 1.0 {
            return;
        }
        self.owed += self.since.elapsed().mul_f64(self.factor - 1.0);
        if self.owed >= LEAST_SLEEP {
            self.pay();
        }
        self.since = Instant::now();
    }

    /// Sleeps what is still owed.
    #[expect(clippy::disallowed_methods, reason = "the thread is one of its own, and is to be slow")]
    pub(super) fn pay(&mut self) {
        let before = Instant::now();
        sleep(self.owed);
        // What was slept too long is not owed by the next steps: these are few and long, or many and their sum counts.
        self.owed = self.owed.saturating_sub(before.elapsed());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_take_at_least_as_many_times_as_long() {
        let mut pace = Pace::new(4.0);
        let begin = Instant::now();
        let mut worked = Duration::ZERO;
        for _ in 0..20 {
            let before = Instant::now();
            while before.elapsed() < Duration::from_micros(300) {}
            worked += before.elapsed();
            pace.step();
        }
        pace.pay();
        assert!(begin.elapsed() >= worked.mul_f64(3.9), "{:?} for {worked:?}", begin.elapsed());
    }

    #[test]
    fn one_is_no_sleep() {
        let mut pace = Pace::new(1.0);
        pace.step();
        assert_eq!(pace.owed, Duration::ZERO);
    }
}
