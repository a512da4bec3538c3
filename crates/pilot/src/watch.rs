//! A running epoch held against what was predicted: pure, and told the time, so that tests can hold it still.
//!
//! What arrives in a second says how fast the network is only where the network is what everything waits for. So bytes that come
//! slower than believed are the network's fault where no cores are busy, and somebody waits for bytes nearly all the time: not where
//! the reader is busy, or nobody reads. Bytes that come faster always prove it faster.

use std::collections::VecDeque;
use std::time::Duration;

/// How an epoch is watched.
#[derive(Clone, Copy, Debug)]
pub struct WatchOptions {
    /// Measured and predicted may differ by this factor, either way, before it counts.
    pub factor: f64,
    /// The stretch of time that is looked at.
    pub window: Duration,
    /// The end of it from which the new value is taken, once something counts.
    pub recent: Duration,
    /// Looks in a row that must agree.
    pub confirm: u32,
}

/// Sums since the epoch began.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Reading {
    pub(crate) at: Duration,
    /// Bytes received.
    pub(crate) bytes: f64,
    /// CPU seconds of each server: measured, and as they were predicted for the samples that came.
    pub(crate) storage: Vec<Work>,
    /// CPU seconds of finishing.
    pub(crate) trainer: Work,
    /// Seconds for which somebody waited for bytes.
    pub(crate) receiving: f64,
}

/// CPU seconds as measured and as predicted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Work {
    pub(crate) measured: f64,
    pub(crate) predicted: f64,
}

/// What is believed of the resources.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Belief {
    /// Bits per second that arrive at most; `None`: more than matters.
    pub(crate) bandwidth: Option<f64>,
    /// Cores of each server.
    pub(crate) storage_cores: Vec<f64>,
    /// Cores that finish.
    pub(crate) trainer_cores: f64,
}

/// What was seen that was not predicted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// Bits per second that arrive.
    pub bandwidth: Option<f64>,
    /// For each server the factor by which its CPU seconds are off.
    pub storage: Option<Vec<f64>>,
    /// The same for finishing.
    pub trainer: Option<f64>,
}

/// Watches one epoch.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    options: WatchOptions,
    readings: VecDeque<Reading>,
    /// Looks in a row at which something was off.
    off: u32,
}

/// Parts of a resource's time from which on it counts as busy.
const BUSY: f64 = 0.75;
/// Part of the time for which somebody must wait for bytes for the network to be what everything waits for.
const RECEIVING: f64 = 0.75;
/// CPU seconds below which a factor is noise.
const LEAST_WORK: f64 = 0.1;

// === impl WatchOptions ===

impl Default for WatchOptions {
    fn default() -> Self {
        Self { factor: 1.25, window: Duration::from_millis(1500), recent: Duration::from_millis(600), confirm: 2 }
    }
}

// === impl Watch ===

impl Watch {
    pub(crate) fn new(options: WatchOptions) -> Self {
        Self { options, readings: VecDeque::new(), off: 0 }
    }

    /// Forgets what was read: something has changed.
    pub(crate) fn restart(&mut self) {
        self.readings.clear();
        self.off = 0;
    }

    /// Takes a reading; gives what is off, once that is sure.
    pub(crate) fn look(&mut self, reading: Reading, belief: &Belief) -> Option<Seen> {
        let now = reading.at;
        self.readings.push_back(reading);
        let begin = now.checked_sub(self.options.window)?;
        // The last one before the window stays: it is where the window begins.
        while self.readings.get(1).is_some_and(|second| second.at <= begin) {
            self.readings.pop_front();
        }
        let whole = self.since(begin)?;
        if self.judge(whole, belief).is_none() {
            self.off = 0;
            return None;
        }
        self.off += 1;
        if self.off < self.options.confirm {
            return None;
        }
        let recent = self.since(now.checked_sub(self.options.recent)?)?;
        // What was off over the window may be over by now.
        self.judge(recent, belief)
    }

    /// The last reading and the last one not after `begin`.
    fn since(&self, begin: Duration) -> Option<[&Reading; 2]> {
        let from = self.readings.iter().rev().find(|reading| reading.at <= begin)?;
        Some([from, self.readings.back()?])
    }

    fn judge(&self, [from, to]: [&Reading; 2], belief: &Belief) -> Option<Seen> {
        let seconds = (to.at.saturating_sub(from.at)).as_secs_f64();
        if seconds <= 0.0 {
            return None;
        }
        let factor = self.options.factor;
        let off = |ratio: f64| ratio > factor || ratio < 1.0 / factor;
        let busy = |work: f64, cores: f64| cores > 0.0 && work / (seconds * cores) > BUSY;
        let work = |from: Work, to: Work| Work {
            measured: to.measured - from.measured,
            predicted: to.predicted - from.predicted,
        };
        let ratio = |work: Work| {
            let enough = work.measured.max(work.predicted) >= LEAST_WORK && work.predicted > 0.0;
            if enough { work.measured / work.predicted } else { 1.0 }
        };
        let storage: Vec<_> = from.storage.iter().zip(&to.storage).map(|(from, to)| work(*from, *to)).collect();
        let trainer = work(from.trainer, to.trainer);
        let cores_busy = storage.iter().zip(&belief.storage_cores).any(|(work, cores)| busy(work.measured, *cores))
            || busy(trainer.measured, belief.trainer_cores);
        let receiving = (to.receiving - from.receiving) / seconds >= RECEIVING;

        let mut seen = Seen::default();
        let rate = 8.0 * (to.bytes - from.bytes) / seconds;
        let waits_for_network = !cores_busy && receiving;
        let differs = match belief.bandwidth {
            Some(believed) => rate > believed * factor || (waits_for_network && rate < believed / factor),
            None => waits_for_network,
        };
        if differs && rate > 0.0 {
            seen.bandwidth = Some(rate);
        }
        let ratios: Vec<_> = storage.iter().map(|work| ratio(*work)).collect();
        // Cores that are not busy may be as slow as they like.
        if cores_busy && ratios.iter().any(|ratio| off(*ratio)) {
            seen.storage = Some(ratios);
        }
        if cores_busy && off(ratio(trainer)) {
            seen.trainer = Some(ratio(trainer));
        }
        (seen != Seen::default()).then_some(seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: f64 = 0.25;

    fn belief(bandwidth: f64) -> Belief {
        Belief { bandwidth: Some(bandwidth), storage_cores: vec![1.0, 1.0], trainer_cores: 2.0 }
    }

    /// Feeds ticks from `begin` on, with bits a second, busy parts of the first server and of the reader; gives the first thing
    /// that was seen, and when.
    struct Course {
        watch: Watch,
        now: Reading,
    }

    impl Course {
        fn new() -> Self {
            let now = Reading { storage: vec![Work::default(); 2], ..Reading::default() };
            Self { watch: Watch::new(WatchOptions::default()), now }
        }

        fn run(
            &mut self,
            seconds: f64,
            rate: f64,
            busy: [f64; 2],
            blocked: f64,
            belief: &Belief,
        ) -> Option<(f64, Seen)> {
            let begin = self.now.at.as_secs_f64();
            while self.now.at.as_secs_f64() < begin + seconds {
                self.now.at += Duration::from_secs_f64(TICK);
                self.now.bytes += rate / 8.0 * TICK;
                self.now.storage[0].measured += busy[0] * TICK;
                self.now.storage[0].predicted += busy[1] * TICK;
                self.now.receiving += (1.0 - blocked) * TICK;
                if let Some(seen) = self.watch.look(self.now.clone(), belief) {
                    return Some((self.now.at.as_secs_f64() - begin, seen));
                }
            }
            None
        }
    }

    #[test]
    fn what_goes_as_predicted_is_left_alone_and_so_is_what_is_off_by_less_than_the_factor() {
        let mut course = Course::new();
        for rate in [80e6, 70e6, 95e6] {
            assert_eq!(course.run(20.0, rate, [0.1, 0.1], 0.0, &belief(80e6)), None, "{rate}");
        }
    }

    #[test]
    fn a_bandwidth_that_is_halved_is_seen_in_two_seconds_and_measured_right() {
        let mut course = Course::new();
        assert_eq!(course.run(10.0, 80e6, [0.1, 0.1], 0.0, &belief(80e6)), None);
        let (after, seen) = course.run(10.0, 40e6, [0.1, 0.1], 0.0, &belief(80e6)).unwrap();
        assert!(after <= 2.0, "{after}");
        assert!((seen.bandwidth.unwrap() / 40e6 - 1.0).abs() < 0.1, "{seen:?}");
        course.watch.restart();
        assert_eq!(course.run(10.0, 40e6, [0.1, 0.1], 0.0, &belief(40e6)), None, "once it is believed, it is no news");
        let (after, seen) = course.run(10.0, 80e6, [0.1, 0.1], 0.0, &belief(40e6)).unwrap();
        assert!(after <= 2.0 && (seen.bandwidth.unwrap() / 80e6 - 1.0).abs() < 0.1, "{seen:?}");
    }

    #[test]
    fn a_moment_is_no_news() {
        let mut course = Course::new();
        assert_eq!(course.run(10.0, 80e6, [0.1, 0.1], 0.0, &belief(80e6)), None);
        assert_eq!(course.run(0.25, 0.0, [0.1, 0.1], 0.0, &belief(80e6)), None);
        assert_eq!(course.run(10.0, 80e6, [0.1, 0.1], 0.0, &belief(80e6)), None);
    }

    #[test]
    fn a_network_is_not_blamed_for_busy_cores_or_a_slow_reader() {
        let mut course = Course::new();
        assert_eq!(course.run(10.0, 20e6, [0.95, 0.95], 0.0, &belief(80e6)), None);
        assert_eq!(course.run(10.0, 20e6, [0.1, 0.1], 0.6, &belief(80e6)), None);
    }

    #[test]
    fn cores_that_are_slower_than_predicted_are_seen_where_they_are_what_everything_waits_for() {
        let mut course = Course::new();
        let (_, seen) = course.run(10.0, 60e6, [0.98, 0.5], 0.0, &belief(80e6)).unwrap();
        assert_eq!(seen.bandwidth, None);
        assert!((seen.storage.unwrap()[0] - 1.96).abs() < 0.1);
        assert_eq!(Course::new().run(10.0, 80e6, [0.4, 0.2], 0.0, &belief(80e6)), None, "nobody waits for them");
    }
}
