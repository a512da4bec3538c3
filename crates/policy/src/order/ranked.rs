//! Entries in a tree, by a rank that changes only when the entry does: logarithmic time.

use std::collections::BTreeSet;

use crate::clock::Clock;
use crate::priority;
use crate::slots::Record;
use crate::tier::Tier;

/// What entries are ranked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// How often they were used; of those, when last.
    Frequency,
    /// Importance x cost / bytes.
    Importance,
    /// The next use: the last of all goes first.
    NextUse,
}

/// Entries in a tree: the first one is the next to go.
#[derive(Debug)]
pub(crate) struct Ranked {
    by: By,
    tier: Tier,
    tree: BTreeSet<((u64, u64), u32)>,
}

// === impl Ranked ===

impl Ranked {
    pub(crate) fn new(by: By, tier: Tier) -> Self {
        Self { by, tier, tree: BTreeSet::new() }
    }

    pub(crate) fn first(&self) -> Option<u32> {
        self.tree.first().map(|(_, slot)| *slot)
    }

    pub(crate) fn insert(&mut self, records: &mut [Record], slot: u32) {
        let record = &mut records[slot as usize];
        record.rank = match self.by {
            By::Frequency => (record.uses.into(), record.rank.1),
            By::Importance | By::NextUse => (ordered(self.worth(record)), 0),
        };
        self.tree.insert((record.rank, slot));
    }

    pub(crate) fn remove(&mut self, records: &[Record], slot: u32) {
        self.tree.remove(&(records[slot as usize].rank, slot));
    }

    /// The entry was used.
    pub(crate) fn touch(&mut self, records: &mut [Record], slot: u32, clock: &Clock) {
        if self.by == By::Frequency {
            self.remove(records, slot);
            let record = &mut records[slot as usize];
            record.uses = record.uses.saturating_add(1);
            record.rank.1 = clock.accesses;
            self.insert(records, slot);
        }
    }

    /// What the entry is worth beside others of this tier.
    pub(crate) fn worth(&self, record: &Record) -> f64 {
        match self.by {
            By::Frequency => record.uses.into(),
            By::Importance => priority::importance(&record.facts, self.tier),
            By::NextUse => priority::next_use(&record.facts),
        }
    }
}

/// A number whose order among all such numbers is that of the values: IEEE 754's total order.
pub(crate) fn ordered(value: f64) -> u64 {
    let bits = value.to_bits();
    if value.is_sign_negative() { !bits } else { bits | 1 << 63 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_ordered_as_their_values() {
        let values = [f64::NEG_INFINITY, -2.5, -1e-300, 0.0, 1e-300, 1.0, 1e300, f64::INFINITY];
        assert!(values.windows(2).all(|pair| ordered(pair[0]) < ordered(pair[1])));
    }
}
