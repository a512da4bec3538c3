//! A running epoch, held against what was predicted. The time is an argument, so that tests can hold it still.
//!
//! # When a network is to blame
//!
//! What arrives in a second says how fast the network is only where everything waits for the network. A plan that
//! believes in a network that is slower than it is has servers compute for nothing. So there must be three signs, over
//! the whole window:
//!
//! 1. **Bytes that are waited for are underway nearly all the time**: of some message the first byte has come, and its
//!    last has not (`client::arriving`). Only then the sender has more ready, and only the network is waited for. The
//!    bandwidth is what came, divided by that time: a server that computes sends little, but what it sends comes fast.
//! 2. **No stretch of the window came as fast as is believed**: a bandwidth that was just seen is there.
//! 3. **No cores are known to be busy**, and timers on the threads that receive fire in time. A server that computes
//!    cannot send, and a receiver that gets no core cannot take what has come.
//!
//! The first sign decides, and the others only ever acquit. The rate alone is no sign, since a server that computes is
//! slow too. That somebody waits is no sign, since somebody always does. Cores that look idle are no sign either: a
//! server announces as many cores as it may use, not as many as it gets beside other processes, and a server without
//! CPU workers has none that could be busy.
//!
//! Bytes that come faster than believed prove a faster network without any further sign.

mod reading;

use std::collections::VecDeque;
use std::time::Duration;

pub(crate) use reading::{CpuTally, Reading};

/// How an epoch is watched.
#[derive(Clone, Copy, Debug)]
pub struct WatchOptions {
    /// Measured and predicted may differ by this factor, either way, before it counts.
    pub factor: f64,
    /// The stretch of time that is looked at.
    pub window: Duration,
    /// The end of the window from which the new value is taken, once a deviation counts.
    pub recent: Duration,
    /// Looks in a row that must agree.
    pub confirm: u32,
}

/// What is believed of the resources.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Belief {
    /// Bits per second that arrive at most; `None` where they are more than matters.
    pub(crate) bandwidth: Option<f64>,
    /// Cores of each server.
    pub(crate) storage_cores: Vec<f64>,
    /// Cores that finish samples here.
    pub(crate) trainer_cores: f64,
}

/// How what was seen deviates from what was predicted. `None` where it does not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deviation {
    /// Bits per second that arrive.
    pub bandwidth: Option<f64>,
    /// For each server the factor by which its CPU seconds are off.
    pub storage: Option<Vec<f64>>,
    /// The factor by which the CPU seconds of finishing are off.
    pub trainer: Option<f64>,
}

/// Watches one epoch.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    options: WatchOptions,
    readings: VecDeque<Reading>,
    /// How many looks in a row found a deviation.
    off: u32,
}

/// Parts of a resource's time from which on it counts as busy.
const BUSY: f64 = 0.75;
/// Part of the time for which awaited bytes must be underway for the network to be what everything waits for.
const ARRIVING: f64 = 0.75;
/// Part of the time by which timers may fire late before who receives counts as held up.
const LATE: f64 = 0.1;

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

    /// Takes a reading. Returns what deviates once it is sure; `None` until then.
    pub(crate) fn look(&mut self, reading: Reading, belief: &Belief) -> Option<Deviation> {
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

    /// What deviates over a stretch of readings.
    fn judge(&self, readings: &[&Reading], belief: &Belief) -> Option<Deviation> {
        let (from, to) = (readings.first()?, readings.last()?);
        let seconds = (to.at.saturating_sub(from.at)).as_secs_f64();
        if seconds <= 0.0 {
            return None;
        }
        let factor = self.options.factor;
        let off = |ratio: f64| ratio > factor || ratio < 1.0 / factor;
        let busy = |work: f64, cores: f64| cores > 0.0 && work / (seconds * cores) > BUSY;
        let storage: Vec<_> = from.storage.iter().zip(&to.storage).map(|(from, to)| to.since(*from)).collect();
        let trainer = to.trainer.since(from.trainer);
        let cores_busy = storage.iter().zip(&belief.storage_cores).any(|(work, cores)| busy(work.measured, *cores))
            || busy(trainer.measured, belief.trainer_cores);

        let mut seen = Deviation {
            bandwidth: self.faster(from, to, belief).or_else(|| self.slower(readings, belief).filter(|_| !cores_busy)),
            ..Deviation::default()
        };
        let ratios: Vec<_> = storage.iter().copied().map(CpuTally::ratio).collect();
        // Cores that are not busy may be as slow as they like.
        if cores_busy && ratios.iter().any(|ratio| off(*ratio)) {
            seen.storage = Some(ratios);
        }
        if cores_busy && off(trainer.ratio()) {
            seen.trainer = Some(trainer.ratio());
        }
        (seen != Deviation::default()).then_some(seen)
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

#[cfg(test)]
mod tests;
