//! A running epoch held against what was predicted: pure, and told the time, so that tests can hold it still.
//!
//! # When a network is to blame
//!
//! What arrives in a second says how fast the network is only where the network is what everything waits for. A plan that believes in
//! a network that is slower than it is has servers compute for nothing, so that there must be three signs, over the whole window:
//!
//! 1. **Bytes that are waited for are underway nearly all the time**: of some message the first byte has come and its last has not
//!    (`client::arriving`). Only then the sender has more ready, and nobody but the network is waited for. The bandwidth is what came, by
//!    that time: a server that computes sends little, but what it sends comes as fast as ever.
//! 2. **No stretch of the window came as fast as is believed**: what has just been received is there.
//! 3. **No cores are known to be busy**, and timers on the threads that receive fire in time: who computes cannot send, and who gets no core
//!    cannot take what has come.
//!
//! The first decides, and the others only ever acquit. What does not say it: the rate alone (a server that computes is slow too), that
//! somebody waits (somebody always does), and cores that look idle. A server announces as many as it may use, not those that it
//! gets beside other processes; and one without CPU workers has none that could be busy, so that beside such a server another, which
//! computes at its leisure, looked like a slow network until here.
//!
//! Bytes that come faster than believed prove that without any further sign.

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
    /// Seconds for which bytes that somebody waited for were underway.
    pub(crate) arriving: f64,
    /// Seconds by which timers fired late.
    pub(crate) late: f64,
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
/// Part of the time for which awaited bytes must be underway for the network to be what everything waits for.
const ARRIVING: f64 = 0.75;
/// Part of the time by which timers may fire late before who receives counts as held up.
const LATE: f64 = 0.1;
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
        if self.judge(&whole, belief).is_none() {
            self.off = 0;
            return None;
        }
        self.off += 1;
        if self.off < self.options.confirm {
            return None;
        }
        let recent = self.since(now.checked_sub(self.options.recent)?)?;
        // What was off over the window may be over by now.
        self.judge(&recent, belief)
    }

    /// The readings from the last one not after `begin` on.
    fn since(&self, begin: Duration) -> Option<Vec<&Reading>> {
        let from = self.readings.iter().rposition(|reading| reading.at <= begin)?;
        Some(self.readings.range(from..).collect())
    }

    fn judge(&self, readings: &[&Reading], belief: &Belief) -> Option<Seen> {
        let (from, to) = (readings.first()?, readings.last()?);
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

        let mut seen = Seen {
            bandwidth: self.faster(from, to, belief).or_else(|| self.slower(readings, belief).filter(|_| !cores_busy)),
            ..Seen::default()
        };
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

    /// Bits a second, where they prove the network faster than believed.
    fn faster(&self, from: &Reading, to: &Reading, belief: &Belief) -> Option<f64> {
        let rate = to.rate_since(from);
        belief.bandwidth.filter(|believed| rate > believed * self.options.factor).map(|_| rate)
    }

    /// Bits a second, where the network is what is waited for and brings fewer than believed.
    fn slower(&self, readings: &[&Reading], belief: &Belief) -> Option<f64> {
        let (from, to) = (readings.first()?, readings.last()?);
        let (arriving, seconds) = (to.arriving - from.arriving, (to.at.saturating_sub(from.at)).as_secs_f64());
        if arriving < ARRIVING * seconds || to.late - from.late > LATE * seconds {
            return None;
        }
        let bandwidth = 8.0 * (to.bytes - from.bytes) / arriving;
        let least = belief.bandwidth.map_or(f64::INFINITY, |believed| believed / self.options.factor);
        let fastest = readings.windows(2).map(|pair| pair[1].rate_since(pair[0])).fold(0.0, f64::max);
        (bandwidth > 0.0 && bandwidth < least && fastest < least).then_some(bandwidth)
    }
}

// === impl Reading ===

impl Reading {
    /// Bits a second since another.
    fn rate_since(&self, from: &Self) -> f64 {
        let seconds = self.at.saturating_sub(from.at).as_secs_f64();
        if seconds > 0.0 { 8.0 * (self.bytes - from.bytes) / seconds } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: f64 = 0.25;

    fn belief(bandwidth: f64) -> Belief {
        Belief { bandwidth: Some(bandwidth), storage_cores: vec![1.0, 1.0], trainer_cores: 2.0 }
    }

    /// What is received for a while: bits a second that come, and bits a second that the network would bring while it is waited for.
    #[derive(Clone, Copy)]
    struct Came {
        rate: f64,
        capacity: f64,
        /// Part of the time for which the reader has room.
        room: f64,
        /// Part of the time by which timers are late.
        late: f64,
    }

    /// As fast as the network is.
    fn at(rate: f64) -> Came {
        Came { rate, capacity: rate, room: 1.0, late: 0.0 }
    }

    /// Feeds ticks, with what comes and busy parts of the first server, measured and predicted; gives the first thing that was
    /// seen, and when.
    struct Course {
        watch: Watch,
        now: Reading,
    }

    impl Course {
        fn new() -> Self {
            let now = Reading { storage: vec![Work::default(); 2], ..Reading::default() };
            Self { watch: Watch::new(WatchOptions::default()), now }
        }

        fn run(&mut self, seconds: f64, came: Came, busy: [f64; 2], belief: &Belief) -> Option<(f64, Seen)> {
            let begin = self.now.at.as_secs_f64();
            while self.now.at.as_secs_f64() < begin + seconds {
                self.now.at += Duration::from_secs_f64(TICK);
                self.now.bytes += came.rate / 8.0 * TICK;
                self.now.storage[0].measured += busy[0] * TICK;
                self.now.storage[0].predicted += busy[1] * TICK;
                self.now.arriving += (came.rate / came.capacity).min(came.room) * TICK;
                self.now.late += came.late * TICK;
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
            assert_eq!(course.run(20.0, at(rate), [0.1, 0.1], &belief(80e6)), None, "{rate}");
        }
    }

    #[test]
    fn a_bandwidth_that_is_halved_is_seen_in_two_seconds_and_measured_right() {
        let mut course = Course::new();
        assert_eq!(course.run(10.0, at(80e6), [0.1, 0.1], &belief(80e6)), None);
        let (after, seen) = course.run(10.0, at(40e6), [0.1, 0.1], &belief(80e6)).unwrap();
        assert!(after <= 2.0, "{after}");
        assert!((seen.bandwidth.unwrap() / 40e6 - 1.0).abs() < 0.1, "{seen:?}");
        course.watch.restart();
        assert_eq!(course.run(10.0, at(40e6), [0.1, 0.1], &belief(40e6)), None, "once it is believed, it is no news");
        let (after, seen) = course.run(10.0, at(80e6), [0.1, 0.1], &belief(40e6)).unwrap();
        assert!(after <= 2.0 && (seen.bandwidth.unwrap() / 80e6 - 1.0).abs() < 0.1, "{seen:?}");
    }

    #[test]
    fn a_moment_is_no_news() {
        let mut course = Course::new();
        assert_eq!(course.run(10.0, at(80e6), [0.1, 0.1], &belief(80e6)), None);
        let nothing = Came { rate: 0.0, ..at(80e6) };
        assert_eq!(course.run(0.25, nothing, [0.1, 0.1], &belief(80e6)), None);
        assert_eq!(course.run(10.0, at(80e6), [0.1, 0.1], &belief(80e6)), None);
    }

    #[test]
    fn a_network_is_not_blamed_for_busy_cores_or_a_slow_reader() {
        let mut course = Course::new();
        assert_eq!(course.run(10.0, at(20e6), [0.95, 0.95], &belief(80e6)), None);
        assert_eq!(course.run(10.0, Came { room: 0.4, ..at(20e6) }, [0.1, 0.1], &belief(80e6)), None);
        assert_eq!(course.run(10.0, Came { late: 0.3, ..at(20e6) }, [0.1, 0.1], &belief(80e6)), None);
        assert!(course.run(10.0, at(20e6), [0.1, 0.1], &belief(80e6)).is_some());
    }

    #[test]
    fn a_network_is_not_blamed_for_a_server_that_computes_on_cores_that_look_idle() {
        // One server has none, and the other gets less of them than it announces.
        let unlike = |bandwidth| Belief { storage_cores: vec![2.0, 0.0], ..belief(bandwidth) };
        for (rate, believed) in [(0.74e6, 3e9), (20e6, 3e9), (20e6, 80e6), (50e6, 80e6)] {
            let computes = Came { capacity: believed, ..at(rate) };
            assert_eq!(Course::new().run(60.0, computes, [0.4, 0.4], &unlike(believed)), None, "{rate} of {believed}");
        }
    }

    #[test]
    fn a_network_that_gets_slow_while_servers_compute_is_blamed_once_it_is_what_is_waited_for_and_for_what_it_brings() {
        let mut course = Course::new();
        let computes = Came { capacity: 80e6, ..at(30e6) };
        assert_eq!(course.run(20.0, computes, [0.4, 0.4], &belief(80e6)), None);
        // As much as they send, it still brings: nobody waits for more.
        assert_eq!(course.run(20.0, Came { capacity: 45e6, ..computes }, [0.4, 0.4], &belief(80e6)), None);
        let waited = Came { capacity: 25e6, ..at(20e6) };
        let (after, seen) = course.run(20.0, waited, [0.2, 0.2], &belief(80e6)).unwrap();
        assert!(after <= 2.5 && (seen.bandwidth.unwrap() / 25e6 - 1.0).abs() < 0.1, "{after}: {seen:?}");
    }

    #[test]
    fn a_network_that_has_just_brought_what_is_believed_is_not_blamed() {
        let mut course = Course::new();
        for _ in 0..20 {
            assert_eq!(course.run(1.0, at(30e6), [0.1, 0.1], &belief(80e6)), None);
            assert_eq!(course.run(0.25, at(75e6), [0.1, 0.1], &belief(80e6)), None);
        }
    }

    #[test]
    fn cores_that_are_slower_than_predicted_are_seen_where_they_are_what_everything_waits_for() {
        let mut course = Course::new();
        let (_, seen) = course.run(10.0, at(60e6), [0.98, 0.5], &belief(80e6)).unwrap();
        assert_eq!(seen.bandwidth, None);
        assert!((seen.storage.unwrap()[0] - 1.96).abs() < 0.1);
        assert_eq!(Course::new().run(10.0, at(80e6), [0.4, 0.2], &belief(80e6)), None, "nobody waits for them");
    }
}
