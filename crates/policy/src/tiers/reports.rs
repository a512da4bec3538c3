//! How importance decays. A report counts in full for [`FULL`] rounds of reports, and half as much after each further
//! [`FULL`]; a round is as many reports as there are entries. So what nobody speaks of any more makes way in the end,
//! and what is reported about as often as others keeps its place: with a shorter time, entries that a sampler passes
//! over for a while would go before those that it likes less.
//!
//! (Replayed with losses that drift, twenty epochs of importance sampling, a fifth cached: 16 rounds give the hits that
//! no decay gives, 4 rounds up to 1.7 % fewer.)

use std::hash::Hash;

use super::Tiers;

/// Rounds of reports for which a report counts in full.
const FULL: f64 = 16.0;
/// Entries that are looked at after each report: more than one, so that the oldest ones are caught up with.
const LOOKED_AT: usize = 2;

impl<K: Clone + Eq + Hash> Tiers<K> {
    /// An entry is in a tier now, or was rejected.
    pub(super) fn came(&mut self, slot: u32, entered: bool) {
        if !entered {
            self.slots.remove(slot);
        } else if let Some(reports) = &mut self.reports {
            self.slots.record_mut(slot).reported = self.clock.rounds;
            reports.push(&mut self.slots.records, slot);
        }
    }

    /// The importance of an entry was reported.
    pub(super) fn reported(&mut self, slot: u32) {
        self.clock.report(self.slots.len());
        self.renew(slot);
        for _ in 0..LOOKED_AT {
            let Some(oldest) = self.reports.as_ref().and_then(|reports| reports.oldest()) else { return };
            let record = self.slots.record(oldest);
            if self.clock.rounds - record.reported <= FULL {
                return;
            }
            let halve = |record: &mut crate::slots::Record| record.facts.importance /= 2.0;
            self.orders[record.tier.place()].change(&mut self.slots.records, oldest, &self.clock, halve);
            self.renew(oldest);
        }
    }

    /// An entry is in no tier any more.
    pub(super) fn unreport(&mut self, slot: u32) {
        if let Some(reports) = &mut self.reports {
            reports.remove(&mut self.slots.records, slot);
        }
    }

    fn renew(&mut self, slot: u32) {
        if let Some(reports) = &mut self.reports {
            reports.remove(&mut self.slots.records, slot);
            self.slots.record_mut(slot).reported = self.clock.rounds;
            reports.push(&mut self.slots.records, slot);
        }
    }
}
