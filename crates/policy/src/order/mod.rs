//! Who goes next from a tier.

mod list;
mod planned;
mod ranked;
mod s3_fifo;

pub(crate) use list::List;
use planned::Planned;
pub(crate) use ranked::ordered;
use ranked::{By, Ranked};
use s3_fifo::S3Fifo;

use crate::clock::Clock;
use crate::name::PolicyName;
use crate::slots::Record;
use crate::tier::Tier;

/// The entries of one tier, in the order in which they go.
#[derive(Debug)]
pub(crate) enum Order {
    /// By when they were used.
    Recency(List),
    /// By when they came.
    Arrival(List),
    Ranked(Ranked),
    Planned(Planned),
    S3Fifo(S3Fifo),
}

// === impl Order ===

impl Order {
    pub(crate) fn new(policy: PolicyName, tier: Tier) -> Self {
        match policy {
            PolicyName::Lru => Self::Recency(List::default()),
            PolicyName::Static => Self::Arrival(List::default()),
            PolicyName::Lfu => Self::Ranked(Ranked::new(By::Frequency, tier)),
            PolicyName::Importance => Self::Ranked(Ranked::new(By::Importance, tier)),
            PolicyName::Belady => Self::Ranked(Ranked::new(By::NextUse, tier)),
            PolicyName::Planned => Self::Planned(Planned::new(tier)),
            PolicyName::S3Fifo => Self::S3Fifo(S3Fifo::new(tier)),
        }
    }

    /// Takes in an entry that is in no order.
    pub(crate) fn insert(&mut self, records: &mut [Record], slot: u32, clock: &Clock) {
        match self {
            Self::Recency(list) | Self::Arrival(list) => list.push(records, slot),
            Self::Ranked(ranked) => ranked.insert(records, slot),
            Self::Planned(planned) => planned.insert(records, slot, clock),
            Self::S3Fifo(queues) => queues.insert(records, slot),
        }
    }

    pub(crate) fn remove(&mut self, records: &mut [Record], slot: u32) {
        match self {
            Self::Recency(list) | Self::Arrival(list) => list.remove(records, slot),
            Self::Ranked(ranked) => ranked.remove(records, slot),
            Self::Planned(planned) => planned.remove(records, slot),
            Self::S3Fifo(queues) => queues.remove(records, slot),
        }
    }

    /// An entry of this tier was used.
    pub(crate) fn touch(&mut self, records: &mut [Record], slot: u32, clock: &Clock) {
        match self {
            Self::Recency(list) => {
                list.remove(records, slot);
                list.push(records, slot);
            }
            Self::Ranked(ranked) => ranked.touch(records, slot, clock),
            Self::S3Fifo(_) => S3Fifo::touch(records, slot),
            Self::Arrival(_) | Self::Planned(_) => {}
        }
    }

    /// Facts of an entry change.
    pub(crate) fn change(
        &mut self,
        records: &mut [Record],
        slot: u32,
        clock: &Clock,
        change: impl FnOnce(&mut Record),
    ) {
        let is_by_facts = matches!(self, Self::Ranked(_) | Self::Planned(_));
        if is_by_facts {
            self.remove(records, slot);
        }
        change(&mut records[slot as usize]);
        if is_by_facts {
            self.insert(records, slot, clock);
        }
    }

    /// Positions have passed.
    pub(crate) fn advance(&mut self, records: &mut [Record], clock: &Clock) {
        if let Self::Planned(planned) = self {
            planned.advance(records, clock);
        }
    }

    /// Who goes next, from a tier of this size.
    pub(crate) fn victim(&mut self, records: &mut [Record], clock: &Clock, size: u64) -> Option<u32> {
        match self {
            Self::Recency(list) | Self::Arrival(list) => list.oldest(),
            Self::Ranked(ranked) => ranked.first(),
            Self::Planned(planned) => planned.worst(records, clock).map(|(slot, _)| slot),
            Self::S3Fifo(queues) => queues.victim(records, size),
        }
    }

    /// What an entry is worth beside those of this tier; the same for all where worth decides nothing.
    pub(crate) fn worth(&self, record: &Record, clock: &Clock) -> f64 {
        match self {
            Self::Ranked(ranked) => ranked.worth(record),
            Self::Planned(planned) => planned.worth(record, clock),
            Self::Recency(_) | Self::Arrival(_) | Self::S3Fifo(_) => 0.0,
        }
    }
}
