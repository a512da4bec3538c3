//! The state machine of a cache of two tiers.
//!
//! Tiers are exclusive. What memory has no room for is demoted to the SSD, what the SSD has no room for is evicted. An
//! entry that is found on the SSD is promoted, and leaves the SSD. An entry larger than memory lives on the SSD, one
//! larger than both is rejected. With a size of 0 the other tier works alone.
//!
//! Policies are of two sorts. `lru`, `lfu` and `s3-fifo` admit and promote whatever fits, at the cost of whoever goes
//! next. `planned`, `importance`, `static` and `belady` compare: an entry goes into a tier where there is room, or
//! where all that it pushes out is worth less than it; so the most valuable entries are in memory, the next on the SSD.
//!
//! An access costs one look-up in a hash table, and with `lru` and `s3-fifo` a few writes to lists: a hit in memory
//! allocates nothing. With the others it costs a logarithm of the number of entries. An entry takes 88 bytes,
//! twice its key, 5 to 10 bytes of the table, and with policies that rank about 40 bytes of a tree.

mod reports;
mod room;

use std::hash::Hash;

use crate::clock::Clock;
use crate::facts::Facts;
use crate::ghost::Ghost;
use crate::name::PolicyName;
use crate::order::{List, Order};
use crate::slots::{Record, Slots};
use crate::tier::{Moved, Tier, TierSizes, Usage};

/// Which entries a cache holds, and where.
pub struct Tiers<K> {
    policy: PolicyName,
    sizes: TierSizes,
    usage: [Usage; 2],
    orders: [Order; 2],
    slots: Slots<K>,
    ghost: Ghost<K>,
    /// By when their importance was reported, where that decides.
    reports: Option<List>,
    clock: Clock,
}

// === impl Tiers ===

impl<K: Clone + Eq + Hash> Tiers<K> {
    /// Nothing yet.
    pub fn new(policy: PolicyName, sizes: TierSizes) -> Self {
        Self {
            policy,
            sizes,
            usage: [Usage::default(); 2],
            orders: Tier::BOTH.map(|tier| Order::new(policy, tier)),
            slots: Slots::new(),
            ghost: Ghost::new(),
            reports: (policy == PolicyName::Importance).then(List::default),
            clock: Clock::default(),
        }
    }

    /// The policy that decides.
    pub fn policy(&self) -> PolicyName {
        self.policy
    }

    /// The most bytes of each tier.
    pub fn sizes(&self) -> TierSizes {
        self.sizes
    }

    /// Counts an access, and says where the entry was found. From the SSD it may be promoted. Where the order is
    /// known, state the entry's next use before ([`Self::update`]).
    pub fn access(&mut self, key: &K, moved: &mut Vec<Moved<K>>) -> Option<Tier> {
        self.clock.tick();
        let slot = self.slots.find(key)?;
        let tier = self.slots.record(slot).tier;
        self.orders[tier.place()].touch(&mut self.slots.records, slot, &self.clock);
        if tier == Tier::Ssd {
            self.promote(slot, moved);
        }
        Some(tier)
    }

    /// Where an entry is. Counts nothing.
    pub fn find(&self, key: &K) -> Option<Tier> {
        Some(self.slots.record(self.slots.find(key)?).tier)
    }

    /// What was said of an entry.
    pub fn facts(&self, key: &K) -> Option<Facts> {
        Some(self.slots.record(self.slots.find(key)?).facts)
    }

    /// Takes an entry in: the tier that it goes to, or `None` where it is rejected. An earlier value of the key is
    /// evicted in any case: it would be stale.
    pub fn admit(&mut self, key: K, facts: Facts, moved: &mut Vec<Moved<K>>) -> Option<Tier> {
        self.evict_earlier(&key, moved);
        let proven = self.policy == PolicyName::S3Fifo && self.ghost.take(&key);
        let slot = self.add(key, facts, proven)?;
        let tier = Tier::BOTH.into_iter().find(|&tier| self.enter(slot, tier, moved));
        self.came(slot, tier.is_some());
        tier
    }

    /// Takes in an entry that was found on the SSD at start. Where the tier is full, only those that are worth less
    /// make way, and nobody where the policy compares nothing. `false`: it does not belong to the cache.
    pub fn restore(&mut self, key: K, facts: Facts, moved: &mut Vec<Moved<K>>) -> bool {
        self.evict_earlier(&key, moved);
        let full = self.usage(Tier::Ssd).bytes.saturating_add(facts.ssd_bytes) > self.sizes.ssd;
        if full && !self.policy.compares() {
            return false;
        }
        let Some(slot) = self.add(key, facts, false) else { return false };
        let entered = self.enter(slot, Tier::Ssd, moved);
        self.came(slot, entered);
        entered
    }

    /// Changes what is known of an entry: importance, cost, next use. It counts at once. Bytes stay what they were:
    /// a value of another size has to be admitted.
    pub fn update(&mut self, key: &K, change: impl FnOnce(&mut Facts)) {
        let Some(slot) = self.slots.find(key) else { return };
        let before = *self.slots.record(slot);
        let mut facts = before.facts;
        change(&mut facts);
        Facts { memory_bytes: facts.memory_bytes, ssd_bytes: facts.ssd_bytes, .. } = before.facts;
        self.clock.state(facts.next_use);
        let change = |record: &mut Record| record.facts = facts;
        self.orders[before.tier.place()].change(&mut self.slots.records, slot, &self.clock, change);
        if facts.next_use == before.facts.next_use {
            self.reported(slot);
        }
    }

    /// Nothing is expected any more before this position: whatever was, counts as having no known next use.
    pub fn advance(&mut self, position: u64) {
        self.clock.position = self.clock.position.max(position);
        for order in &mut self.orders {
            order.advance(&mut self.slots.records, &self.clock);
        }
    }

    /// Forgets an entry, and says where it was.
    pub fn remove(&mut self, key: &K) -> Option<Tier> {
        let slot = self.slots.find(key)?;
        let tier = self.slots.record(slot).tier;
        self.orders[tier.place()].remove(&mut self.slots.records, slot);
        self.forget(slot);
        Some(tier)
    }

    /// Evicts whoever goes next from a tier, though the tier may have room: somebody else fills the disk. `false`:
    /// the tier is empty.
    pub fn evict(&mut self, tier: Tier, moved: &mut Vec<Moved<K>>) -> bool {
        let Some(slot) = self.take_victim(tier) else { return false };
        self.evicted(slot, moved);
        true
    }

    /// Changes the sizes. Whatever does not fit any more goes.
    pub fn resize(&mut self, sizes: TierSizes, moved: &mut Vec<Moved<K>>) {
        self.sizes = sizes;
        for tier in [Tier::Ssd, Tier::Memory] {
            while self.usage(tier).bytes > self.sizes.of(tier) || (self.sizes.of(tier) == 0 && self.has_any(tier)) {
                let Some(slot) = self.take_victim(tier) else { break };
                self.leave(slot, moved);
            }
        }
    }

    /// What a tier holds.
    pub fn usage(&self, tier: Tier) -> Usage {
        self.usage[tier.place()]
    }

    /// The keys of a tier; the order means nothing, but is always the same after the same calls.
    pub fn keys(&self, tier: Tier) -> impl Iterator<Item = &K> {
        self.slots.iter().filter(move |(_, record)| record.tier == tier).map(|(key, _)| key)
    }

    fn has_any(&self, tier: Tier) -> bool {
        self.usage(tier).entries > 0
    }

    fn evict_earlier(&mut self, key: &K, moved: &mut Vec<Moved<K>>) {
        if let Some(tier) = self.remove(key) {
            moved.push(Moved::Evicted(key.clone(), tier));
        }
    }

    /// A record of a new entry, which is in no tier yet.
    fn add(&mut self, key: K, facts: Facts, proven: bool) -> Option<u32> {
        let now = self.clock.tick();
        self.clock.state(facts.next_use);
        self.slots.insert(key, Record { proven, rank: (0, now), uses: 1, ..Record::new(facts) })
    }
}
