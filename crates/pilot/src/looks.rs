//! Looks at what arrives, one after the other, with the time by which this process was late.

use std::time::Duration;

use headwater_client::{Counters, Dataset};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use crate::autopilot::Look;

/// Looks at a dataset's counters while an epoch runs.
#[derive(Debug)]
pub struct Looks {
    begin: Instant,
    before: Counters,
    beats: Interval,
    last: Instant,
    looked: Option<Instant>,
    late: Duration,
}

/// Time from one look to the next.
const TICK: Duration = Duration::from_millis(250);
/// Time that a timer is asked for between looks, to see whether it fires late.
const BEAT: Duration = Duration::from_millis(10);
/// Time by which a timer may be late without that meaning anything.
const GRAIN: Duration = Duration::from_millis(2);

// === impl Looks ===

impl Looks {
    /// Looks from now on, of what has come since `begin`, when the counters stood so.
    pub fn since(begin: Instant, before: Counters) -> Self {
        let mut beats = interval(BEAT);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { begin, before, beats, last: Instant::now(), looked: None, late: Duration::ZERO }
    }

    /// The next look, a quarter of a second after the one before. It may be dropped and waited for again.
    pub async fn next(&mut self, dataset: &Dataset) -> Look {
        loop {
            self.beats.tick().await;
            let beat = Instant::now();
            self.late += (beat - self.last).saturating_sub(BEAT + GRAIN);
            self.last = beat;
            if self.looked.is_some_and(|looked| beat - looked < TICK) {
                continue;
            }
            self.looked = Some(beat);
            let now = dataset.counters();
            return Look {
                at: beat - self.begin,
                received: now.bytes_received - self.before.bytes_received,
                arriving: now.arriving - self.before.arriving,
                late: self.late,
            };
        }
    }
}
