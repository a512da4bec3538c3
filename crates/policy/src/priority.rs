//! What an entry is worth, as one number: for caches that look through a table of entries and evict the smallest,
//! instead of keeping an order. [`Tiers`](crate::Tiers) ranks by the same formulas.

use crate::facts::Facts;
use crate::name::PolicyName;
use crate::tier::Tier;

/// What a table knows of an entry beside its facts. Uses are numbered as they come, from 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// The number of its last use; that of its arrival, where it was not used since.
    pub last_use: u64,
    /// How often it was used.
    pub uses: u32,
    /// Half-lives since its importance was reported.
    pub age: f64,
}

/// Where the order stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The position that comes next.
    pub position: u64,
    /// The last position of which anything is known.
    pub horizon: u64,
}

/// Uses of all entries together, below which the last use decides only among entries that were used equally often.
/// The number is exact for up to 8,191 uses of one entry.
const USES_IN_ALL: f64 = (1_u64 << 40) as f64;

/// What an entry is worth in a tier: the smallest goes first, and what comes goes in where it is larger than all that
/// it pushes out (`lru` and `lfu` take it in always). Infinite where nothing is ever pushed out (`static`).
///
/// `None` for `s3-fifo`, which has queues and no priority.
pub fn priority(policy: PolicyName, tier: Tier, facts: &Facts, seen: &Seen, place: Place) -> Option<f64> {
    match policy {
        PolicyName::Planned => Some(planned(facts, tier, place)),
        PolicyName::Importance => Some(importance(facts, tier) - seen.age),
        PolicyName::Static => Some(f64::INFINITY),
        PolicyName::Lru => Some(seen.last_use as f64),
        PolicyName::Lfu => Some(f64::from(seen.uses) * USES_IN_ALL + seen.last_use as f64),
        PolicyName::Belady => Some(next_use(facts)),
        PolicyName::S3Fifo => None,
    }
}

/// Seconds saved for each byte and position until the next use; until the horizon where the next use is not known or
/// has passed.
pub(crate) fn planned(facts: &Facts, tier: Tier, Place { position, horizon }: Place) -> f64 {
    let until = facts.next_use.filter(|&next| next >= position).unwrap_or(horizon);
    facts.density(tier) / until.saturating_sub(position).max(1) as f64
}

/// The logarithm to base 2 of importance x cost / bytes: a half-life takes 1 away.
pub(crate) fn importance(facts: &Facts, tier: Tier) -> f64 {
    (f64::from(facts.importance).max(0.0) * facts.density(tier)).log2()
}

/// The sooner, the more.
pub(crate) fn next_use(facts: &Facts) -> f64 {
    facts.next_use.map_or(f64::NEG_INFINITY, |next| -(next as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(policy: PolicyName, facts: Facts, last_use: u64, uses: u32, age: f64) -> f64 {
        let place = Place { position: 100, horizon: 200 };
        priority(policy, Tier::Memory, &facts, &Seen { last_use, uses, age }, place).unwrap()
    }

    #[test]
    fn formulas_are_those_of_the_documentation() {
        let facts = Facts { cost: 3.0, importance: 2.0, ..Facts::of_bytes(6) };
        assert_eq!(of(PolicyName::Importance, facts, 0, 0, 2.5), -2.5);
        let at = |next_use| of(PolicyName::Planned, Facts { next_use, ..facts }, 0, 0, 0.0);
        assert_eq!([at(Some(110)), at(Some(100)), at(Some(99)), at(None)], [0.05, 0.5, 0.005, 0.005]);
        assert!(of(PolicyName::Lru, facts, 7, 1, 0.0) < of(PolicyName::Lru, facts, 8, 1, 0.0));
        assert!(of(PolicyName::Lfu, facts, (1 << 40) - 1, 1, 0.0) < of(PolicyName::Lfu, facts, 1, 2, 0.0));
        assert!(of(PolicyName::Lfu, facts, 8, 1, 0.0) < of(PolicyName::Lfu, facts, 9, 1, 0.0));
        assert_eq!(of(PolicyName::Static, facts, 8, 1, 0.0), f64::INFINITY);
    }

    #[test]
    fn what_is_no_number_is_worth_nothing() {
        for importance in [f32::NAN, -1.0, 0.0] {
            let facts = Facts { importance, ..Facts::of_bytes(1) };
            assert_eq!(of(PolicyName::Importance, facts, 0, 0, 0.0), f64::NEG_INFINITY);
        }
        let facts = Facts { cost: f32::NAN, ..Facts::of_bytes(0) };
        assert_eq!(of(PolicyName::Planned, facts, 0, 0, 0.0), 0.0);
    }
}
