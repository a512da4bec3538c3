//! How entries get into tiers and out of them.

use std::hash::Hash;

use crate::name::PolicyName;
use crate::tier::{Moved, Tier, Usage};

use super::Tiers;

impl<K: Clone + Eq + Hash> Tiers<K> {
    /// Puts an entry that is in no tier into this one. `false`: there is no room for it there.
    pub(super) fn enter(&mut self, slot: u32, tier: Tier, moved: &mut Vec<Moved<K>>) -> bool {
        let Some(victims) = self.choose(slot, tier) else { return false };
        self.settle(slot, tier, &victims, moved);
        true
    }

    /// Moves an entry of the SSD into memory, where there is room for it.
    pub(super) fn promote(&mut self, slot: u32, moved: &mut Vec<Moved<K>>) {
        let Some(victims) = self.choose(slot, Tier::Memory) else { return };
        self.take(slot);
        self.slots.record_mut(slot).proven = true;
        moved.push(Moved::Promoted(self.slots.key(slot)));
        self.settle(slot, Tier::Memory, &victims, moved);
    }

    /// The next to go from a tier, taken out of its order.
    pub(super) fn take_victim(&mut self, tier: Tier) -> Option<u32> {
        let slot = self.next_victim(tier)?;
        self.orders[tier.place()].remove(&mut self.slots.records, slot);
        Some(slot)
    }

    fn next_victim(&mut self, tier: Tier) -> Option<u32> {
        let size = self.sizes.of(tier);
        self.orders[tier.place()].victim(&mut self.slots.records, &self.clock, size)
    }

    /// Demotes an entry that was taken out of its order, or evicts it.
    pub(super) fn leave(&mut self, slot: u32, moved: &mut Vec<Moved<K>>) {
        if self.slots.record(slot).tier == Tier::Ssd {
            return self.evicted(slot, moved);
        }
        match self.choose(slot, Tier::Ssd) {
            Some(victims) => {
                self.count_out(slot);
                for victim in victims {
                    self.evicted(victim, moved);
                }
                moved.push(Moved::Demoted(self.slots.key(slot)));
                self.place(slot, Tier::Ssd);
            }
            None => self.evicted(slot, moved),
        }
    }

    /// An entry that was taken out of its order is gone.
    pub(super) fn evicted(&mut self, slot: u32, moved: &mut Vec<Moved<K>>) {
        let (key, record) = (self.slots.key(slot), *self.slots.record(slot));
        self.forget(slot);
        if self.policy == PolicyName::S3Fifo && !record.proven {
            self.ghost.remember(key.clone(), self.slots.len());
        }
        moved.push(Moved::Evicted(key, record.tier));
    }

    /// An entry that was taken out of its order is none any more.
    pub(super) fn forget(&mut self, slot: u32) {
        self.unreport(slot);
        self.count_out(slot);
        self.slots.remove(slot);
    }

    /// Those that make way for an entry in a tier, taken out of their order. `None`: there is no room for it.
    fn choose(&mut self, slot: u32, tier: Tier) -> Option<Vec<u32>> {
        let (size, bytes) = (self.sizes.of(tier), self.slots.record(slot).facts.bytes(tier));
        if size == 0 || bytes > size {
            return None;
        }
        let missing = bytes.saturating_sub(size.saturating_sub(self.usage(tier).bytes));
        match self.policy.compares() {
            true => self.choose_lesser(slot, tier, missing),
            false => Some(self.choose_next(tier, missing)),
        }
    }

    /// Whoever goes next.
    fn choose_next(&mut self, tier: Tier, missing: u64) -> Vec<u32> {
        let (mut victims, mut freed) = (Vec::new(), 0);
        while freed < missing {
            let Some(victim) = self.take_victim(tier) else { break };
            freed += self.slots.record(victim).facts.bytes(tier);
            victims.push(victim);
        }
        victims
    }

    /// Those that are worth less than an entry.
    fn choose_lesser(&mut self, slot: u32, tier: Tier, missing: u64) -> Option<Vec<u32>> {
        let worth = self.worth(slot, tier);
        let (mut victims, mut freed) = (Vec::new(), 0);
        while freed < missing {
            let lesser = self.next_victim(tier).filter(|&victim| self.worth(victim, tier) < worth);
            let Some(victim) = lesser else {
                victims.into_iter().for_each(|victim| self.put_back(victim, tier));
                return None;
            };
            self.orders[tier.place()].remove(&mut self.slots.records, victim);
            freed += self.slots.record(victim).facts.bytes(tier);
            victims.push(victim);
        }
        Some(self.spare(victims, tier, freed - missing))
    }

    /// Puts back whoever there is room for after all, the most valuable first; gives the others in this order.
    fn spare(&mut self, mut victims: Vec<u32>, tier: Tier, mut spare: u64) -> Vec<u32> {
        victims.reverse();
        victims.retain(|&victim| {
            let bytes = self.slots.record(victim).facts.bytes(tier);
            let stays = bytes <= spare;
            if stays {
                spare -= bytes;
                self.put_back(victim, tier);
            }
            !stays
        });
        victims
    }

    fn worth(&self, slot: u32, tier: Tier) -> f64 {
        self.orders[tier.place()].worth(self.slots.record(slot), &self.clock)
    }

    fn settle(&mut self, slot: u32, tier: Tier, victims: &[u32], moved: &mut Vec<Moved<K>>) {
        for &victim in victims {
            self.leave(victim, moved);
        }
        self.place(slot, tier);
    }

    fn put_back(&mut self, slot: u32, tier: Tier) {
        self.orders[tier.place()].insert(&mut self.slots.records, slot, &self.clock);
    }

    /// Takes an entry out of its tier.
    fn take(&mut self, slot: u32) {
        let tier = self.slots.record(slot).tier;
        self.orders[tier.place()].remove(&mut self.slots.records, slot);
        self.count_out(slot);
    }

    fn place(&mut self, slot: u32, tier: Tier) {
        let record = self.slots.record_mut(slot);
        record.tier = tier;
        let bytes = record.facts.bytes(tier);
        let Usage { bytes: used, entries } = &mut self.usage[tier.place()];
        (*used, *entries) = (*used + bytes, *entries + 1);
        self.put_back(slot, tier);
    }

    fn count_out(&mut self, slot: u32) {
        let record = self.slots.record(slot);
        let bytes = record.facts.bytes(record.tier);
        let Usage { bytes: used, entries } = &mut self.usage[record.tier.place()];
        (*used, *entries) = (*used - bytes, *entries - 1);
    }
}
