//! When something that takes long is asked for a second time, and how often that may be: once it has taken longer than
//! nearly all others did, and for few of them (Dean and Barroso, "The Tail at Scale", 2013).

use std::time::Duration;

/// How long the last few hundred answers took, and how many second questions they have earned.
#[derive(Clone, Debug)]
pub struct Hedging {
    /// The share of questions that may be asked a second time.
    share: f64,
    /// Second questions that may be asked now.
    left: f64,
    times: Vec<Duration>,
    next: usize,
    /// The 99th percentile, once there are enough.
    p99: Option<Duration>,
}

/// The number of answers that are remembered: fewer have no 99th percentile.
const REMEMBERED: usize = 512;
/// The percentile is computed anew after so many answers.
const EVERY: usize = 64;
/// The percentile while none is known.
const UNKNOWN: Duration = Duration::from_secs(2);
/// The least percentile: a second question sooner than this would help nobody.
const LEAST: Duration = Duration::from_millis(50);
/// Most second questions that are saved up.
const MOST: f64 = 8.0;

// === impl Hedging ===

impl Hedging {
    /// Nothing is known yet; this share of questions, from 0 to 1, may be asked a second time.
    pub fn new(share: f64) -> Self {
        Self { share, left: 1.0, times: Vec::new(), next: 0, p99: None }
    }

    /// An answer came after so long.
    pub fn took(&mut self, time: Duration) {
        self.left = (self.left + self.share).min(MOST);
        let at = self.next % REMEMBERED;
        match self.times.get_mut(at) {
            Some(slot) => *slot = time,
            None => self.times.push(time),
        }
        self.next += 1;
        if self.next.is_multiple_of(EVERY) {
            let mut sorted = self.times.clone();
            sorted.sort_unstable();
            self.p99 = sorted.get(sorted.len() * 99 / 100).copied();
        }
    }

    /// The time after which an answer is slower than 99 of 100.
    pub fn after(&self) -> Duration {
        self.p99.map_or(UNKNOWN, |p99| p99.max(LEAST))
    }

    /// Whether a second question may be asked now, which is then counted.
    pub fn may(&mut self) -> bool {
        let may = self.left >= 1.0;
        if may {
            self.left -= 1.0;
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_a_hundred_is_slower_and_old_times_are_forgotten() {
        let mut hedging = Hedging::new(0.05);
        assert_eq!(hedging.after(), UNKNOWN);
        for time in 0..REMEMBERED as u64 {
            hedging.took(Duration::from_millis(time));
        }
        assert_eq!(hedging.after(), Duration::from_millis(506));
        (0..REMEMBERED).for_each(|_| hedging.took(Duration::from_millis(1)));
        assert_eq!(hedging.after(), LEAST);
    }

    #[test]
    fn second_questions_are_few_and_only_some_are_saved_up() {
        let mut hedging = Hedging::new(0.05);
        let mut asked = 0;
        for _ in 0..1000 {
            hedging.took(Duration::from_millis(1));
            asked += u32::from(hedging.may());
        }
        assert!((50..=51).contains(&asked), "{asked}");
        (0..10_000).for_each(|_| hedging.took(Duration::from_millis(1)));
        assert_eq!((0..100).filter(|_| hedging.may()).count(), MOST as usize);
    }
}
