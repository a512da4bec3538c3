//! Where entries stand: a number for each key, and a record for each number. Numbers are used again.

use std::collections::HashMap;
use std::hash::Hash;

use crate::facts::Facts;
use crate::tier::Tier;

/// No entry.
pub(crate) const NONE: u32 = u32::MAX;

/// What is kept of an entry beside its key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    pub(crate) facts: Facts,
    pub(crate) tier: Tier,
    /// The entries before and behind it, in a list.
    pub(crate) previous: u32,
    pub(crate) next: u32,
    /// Its place in a tree: the order that it was put in by.
    pub(crate) rank: (u64, u64),
    /// How often it was used, as far as its policy counts.
    pub(crate) uses: u32,
    /// Whether it was used again since it came (S3-FIFO: whether it is in the main queue).
    pub(crate) proven: bool,
    /// When its importance was reported or halved last, in rounds of reports.
    pub(crate) reported: f64,
}

pub(crate) struct Slots<K> {
    places: HashMap<K, u32>,
    /// The key of a free number is the last that had it.
    keys: Vec<K>,
    pub(crate) records: Vec<Record>,
    free: Vec<u32>,
}

// === impl Record ===

impl Record {
    pub(crate) fn new(facts: Facts) -> Self {
        Self {
            facts,
            tier: Tier::Memory,
            previous: NONE,
            next: NONE,
            rank: (0, 0),
            uses: 0,
            proven: false,
            reported: 0.0,
        }
    }
}

// === impl Slots ===

impl<K: Clone + Eq + Hash> Slots<K> {
    pub(crate) fn new() -> Self {
        Self { places: HashMap::new(), keys: Vec::new(), records: Vec::new(), free: Vec::new() }
    }

    pub(crate) fn find(&self, key: &K) -> Option<u32> {
        self.places.get(key).copied()
    }

    pub(crate) fn key(&self, slot: u32) -> K {
        self.keys[slot as usize].clone()
    }

    pub(crate) fn record(&self, slot: u32) -> &Record {
        &self.records[slot as usize]
    }

    pub(crate) fn record_mut(&mut self, slot: u32) -> &mut Record {
        &mut self.records[slot as usize]
    }

    /// A number for a new key. `None` where there are no more numbers.
    pub(crate) fn insert(&mut self, key: K, record: Record) -> Option<u32> {
        let slot = match self.free.pop() {
            Some(slot) => {
                self.keys[slot as usize] = key.clone();
                self.records[slot as usize] = record;
                slot
            }
            None => {
                let slot = u32::try_from(self.records.len()).ok().filter(|&slot| slot != NONE)?;
                self.keys.push(key.clone());
                self.records.push(record);
                slot
            }
        };
        self.places.insert(key, slot);
        Some(slot)
    }

    pub(crate) fn remove(&mut self, slot: u32) {
        if self.places.remove(&self.keys[slot as usize]).is_some() {
            self.free.push(slot);
        }
    }

    /// Keys with their tiers, in no order that means anything, but always the same one.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &Record)> {
        let held = |&(slot, key): &(usize, &K)| self.places.get(key).is_some_and(|&place| place as usize == slot);
        self.keys.iter().enumerate().filter(held).map(|(slot, key)| (key, &self.records[slot]))
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_as_small_as_the_documentation_says() {
        assert!(size_of::<Record>() <= 88, "{}", size_of::<Record>());
    }
}
