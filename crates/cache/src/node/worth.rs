//! What a value is worth, in an order: the smallest goes first.

use headwater_policy::priority::{Place, Seen, priority};
use headwater_policy::{Facts, PolicyName, Tier};

use super::layout::{Header, Row, Uses};

/// What a value is worth. Of equals, that which was used longest ago goes first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Worth {
    pub(super) priority: f64,
    last: u64,
    pub(super) index: u64,
}

/// Of which epochs is known what comes next: as far as this process has come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Passed {
    /// The position that comes next.
    pub(super) position: u64,
}

// === impl Worth ===

impl Worth {
    pub(super) fn of(header: &Header, tier: Tier, index: u64, row: &Row, uses: &Uses, passed: Passed) -> Self {
        let block = header.blocks[place(tier)].max(1);
        let bytes = row.length.next_multiple_of(block);
        // In steps, so that an order of victims holds for some time: within a step it is that of the next uses.
        let step = (header.samples / 64).max(1);
        let position = passed.position / step * step;
        // Workers are not equally far. What should have come long ago is of a job that ended.
        let late = (header.samples / 8).max(1024);
        let next_use = uses.next.filter(|next| next.saturating_add(late) >= position);
        let facts = Facts {
            memory_bytes: bytes,
            ssd_bytes: bytes,
            // Of an order that is known, the seconds of one read say less than its place: see `rounded`.
            cost: if header.policy == PolicyName::Planned { 1.0 } else { rounded(row.cost) },
            // 0 where nobody has reported.
            importance: if row.importance > 0.0 { row.importance } else { 1.0 },
            next_use: next_use.map(|next| next.max(position)),
        };
        let seen = Seen { last_use: uses.last, uses: uses.count, age: 0.0 };
        let order = Place { position, horizon: header.announced.max(position) };
        // Queues need an order of their own, which the table does not keep: never given here.
        let priority = priority(header.policy, tier, &facts, &seen, order).unwrap_or(uses.last as f64);
        Self { priority, last: uses.last, index }
    }

    /// Whether the policy puts this in the place of another.
    pub(super) fn displaces(&self, policy: PolicyName, other: &Self) -> bool {
        match policy {
            PolicyName::Lru | PolicyName::Lfu | PolicyName::S3Fifo => true,
            PolicyName::Static => false,
            PolicyName::Planned | PolicyName::Importance | PolicyName::Belady => self.priority > other.priority,
        }
    }
}

impl Eq for Worth {}

impl Ord for Worth {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let order = self.priority.total_cmp(&other.priority);
        order.then(self.last.cmp(&other.last)).then(self.index.cmp(&other.index))
    }
}

impl PartialOrd for Worth {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The place of a tier's numbers.
pub(super) const fn place(tier: Tier) -> usize {
    match tier {
        Tier::Memory => 0,
        Tier::Ssd => 1,
    }
}

/// The power of four that is nearest to a cost. Reading the same sample takes now 1 ms and now 1.2, and values that
/// differ by no more than that would push each other out for ever.
fn rounded(cost: f32) -> f32 {
    match cost > 0.0 {
        true => 4.0_f32.powf((cost.ln() / 4.0_f32.ln()).round()),
        false => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_that_differ_by_chance_are_the_same() {
        for (cost, power) in [(0.9, 1.0), (1.9, 1.0), (2.1, 4.0), (0.001, 1.0 / 1024.0), (0.0, 1.0), (f32::NAN, 1.0)] {
            assert_eq!(rounded(cost), power, "{cost}");
        }
    }
}
