//! What is needed last, for each byte, goes first.
//!
//! An entry's worth is the seconds that its next use saves, for each byte and for each position until then:
//! `cost / bytes / (next use - now)`. Among entries of one size and cost that is Belady's order. An entry whose next
//! use is not known is taken to be used at the horizon, behind everything that is known. Among these the cost for each
//! byte decides, as in the greedy solution of a knapsack: for one job every reuse crosses the epoch's end exactly once,
//! so that the time until then says nothing.
//!
//! The worth of all entries changes with every access, but the order of those of about one density does not. So
//! entries with a known next use stand in classes of density, [`STEPS`] to a factor of two, each a tree by next use.
//! The worst entry is the worst among the last ones of each class: photos need about 16 classes.

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::Clock;
use crate::priority;
use crate::slots::Record;
use crate::tier::Tier;

use super::ranked::ordered;

/// Classes of density, for a factor of two.
const STEPS: f64 = 4.0;
/// The first part of the rank of entries whose next use is not known.
const UNKNOWN: u64 = 0;

/// Entries by next use and density.
#[derive(Debug)]
pub(crate) struct Planned {
    tier: Tier,
    /// By density.
    unknown: BTreeSet<(u64, u32)>,
    /// By next use, in classes of density.
    known: BTreeMap<u64, BTreeSet<(u64, u32)>>,
    /// No known next use is before this position.
    due: u64,
}

// === impl Planned ===

impl Planned {
    pub(crate) fn new(tier: Tier) -> Self {
        Self { tier, unknown: BTreeSet::new(), known: BTreeMap::new(), due: u64::MAX }
    }

    pub(crate) fn insert(&mut self, records: &mut [Record], slot: u32, clock: &Clock) {
        let record = &mut records[slot as usize];
        let density = record.facts.density(self.tier);
        match record.facts.next_use.filter(|&next| next >= clock.position) {
            Some(next) => {
                record.rank = (class(density), next);
                self.due = self.due.min(next);
                self.known.entry(record.rank.0).or_default().insert((next, slot));
            }
            None => {
                record.rank = (UNKNOWN, ordered(density));
                self.unknown.insert((record.rank.1, slot));
            }
        }
    }

    pub(crate) fn remove(&mut self, records: &[Record], slot: u32) {
        let (class, value) = records[slot as usize].rank;
        if class == UNKNOWN {
            self.unknown.remove(&(value, slot));
        } else if let Some(entries) = self.known.get_mut(&class) {
            entries.remove(&(value, slot));
            if entries.is_empty() {
                self.known.remove(&class);
            }
        }
    }

    /// What was expected before this position is expected no more.
    pub(crate) fn advance(&mut self, records: &mut [Record], clock: &Clock) {
        if self.due >= clock.position {
            return;
        }
        let passed = |entries: &BTreeSet<(u64, u32)>| entries.range(..(clock.position, 0)).copied().collect::<Vec<_>>();
        let overdue: Vec<_> = self.known.values().flat_map(passed).collect();
        for (_, slot) in overdue {
            self.remove(records, slot);
            self.insert(records, slot, clock);
        }
        let first = self.known.values().filter_map(|entries| entries.first()).map(|(next, _)| *next).min();
        self.due = first.unwrap_or(u64::MAX);
    }

    pub(crate) fn worth(&self, record: &Record, clock: &Clock) -> f64 {
        priority::planned(&record.facts, self.tier, clock.place())
    }

    /// The entry that is worth least.
    pub(crate) fn worst(&self, records: &[Record], clock: &Clock) -> Option<(u32, f64)> {
        let last = self.known.values().filter_map(|entries| entries.last());
        let candidates = self.unknown.first().into_iter().chain(last);
        let valued = candidates.map(|&(_, slot)| (slot, self.worth(&records[slot as usize], clock)));
        valued.min_by(|one, other| one.1.total_cmp(&other.1))
    }
}

/// A class from 1, by density.
fn class(density: f64) -> u64 {
    let steps = (density.log2() * STEPS).floor().clamp(-1e4, 1e4);
    (steps + 2e4) as u64
}
