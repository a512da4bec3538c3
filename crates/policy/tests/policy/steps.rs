//! Whatever is called in whatever order: limits hold, no entry is in both tiers, and what is said to have moved is what
//! has moved.

use std::collections::HashMap;

use headwater_policy::{Facts, Moved, PolicyName, Tier, TierSizes, Tiers};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Access(u8),
    Admit(u8, u64, u64, f32, Option<u64>),
    Restore(u8, u64),
    Update(u8, f32, Option<u64>),
    Remove(u8),
    Evict(bool),
    Resize(u64, u64),
    Advance(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let key = || 0..24_u8;
    let next = || prop::option::of(0..300_u64);
    prop_oneof![
        6 => key().prop_map(Step::Access),
        6 => (key(), 0..30_u64, 0..30_u64, prop_oneof![0.0..4_f32, Just(f32::NAN)], next())
            .prop_map(|(key, memory, ssd, cost, next)| Step::Admit(key, memory, ssd, cost, next)),
        1 => (key(), 0..30_u64).prop_map(|(key, bytes)| Step::Restore(key, bytes)),
        3 => (key(), -1.0..4_f32, next()).prop_map(|(key, importance, next)| Step::Update(key, importance, next)),
        1 => key().prop_map(Step::Remove),
        1 => any::<bool>().prop_map(Step::Evict),
        1 => (0..90_u64, 0..150_u64).prop_map(|(memory, ssd)| Step::Resize(memory, ssd)),
        1 => (0..300_u64).prop_map(Step::Advance),
    ]
}

/// The cache that carries out what the tiers say.
#[derive(Default)]
struct Cache {
    held: HashMap<u8, (Tier, Facts)>,
}

impl Cache {
    fn carry_out(&mut self, moved: &mut Vec<Moved<u8>>) {
        for step in moved.drain(..) {
            match step {
                Moved::Demoted(key) => self.change(key, Tier::Memory, Tier::Ssd),
                Moved::Promoted(key) => self.change(key, Tier::Ssd, Tier::Memory),
                Moved::Evicted(key, tier) => assert_eq!(self.held.remove(&key).unwrap().0, tier),
            }
        }
    }

    fn change(&mut self, key: u8, from: Tier, to: Tier) {
        let (tier, _) = self.held.get_mut(&key).unwrap();
        assert_eq!(*tier, from);
        *tier = to;
    }

    fn bytes(&self, of: Tier) -> u64 {
        self.held.values().filter(|(tier, _)| *tier == of).map(|(_, facts)| facts.bytes(of)).sum()
    }
}

fn take(tiers: &mut Tiers<u8>, cache: &mut Cache, step: &Step) {
    let mut moved = Vec::new();
    match *step {
        Step::Access(key) => {
            let found = tiers.access(&key, &mut moved);
            assert_eq!(found, cache.held.get(&key).map(|(tier, _)| *tier));
        }
        Step::Admit(key, memory_bytes, ssd_bytes, cost, next_use) => {
            let facts = Facts { memory_bytes, ssd_bytes, cost, importance: 1.0, next_use };
            let tier = tiers.admit(key, facts, &mut moved);
            cache.carry_out(&mut moved);
            if let Some(tier) = tier {
                assert!(cache.held.insert(key, (tier, facts)).is_none());
            }
        }
        Step::Restore(key, bytes) => {
            let kept = tiers.restore(key, Facts::of_bytes(bytes), &mut moved);
            cache.carry_out(&mut moved);
            if kept {
                assert!(cache.held.insert(key, (Tier::Ssd, Facts::of_bytes(bytes))).is_none());
            }
        }
        Step::Update(key, importance, next_use) => tiers.update(&key, |facts| {
            (facts.importance, facts.next_use, facts.memory_bytes) = (importance, next_use, 1 << 40);
        }),
        Step::Remove(key) => assert_eq!(tiers.remove(&key), cache.held.remove(&key).map(|(tier, _)| tier)),
        Step::Evict(memory) => {
            let tier = if memory { Tier::Memory } else { Tier::Ssd };
            assert_eq!(tiers.evict(tier, &mut moved), cache.held.values().any(|(of, _)| *of == tier));
        }
        Step::Resize(memory, ssd) => tiers.resize(TierSizes { memory, ssd }, &mut moved),
        Step::Advance(position) => tiers.advance(position),
    }
    cache.carry_out(&mut moved);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn limits_hold_after_every_step(
        steps in prop::collection::vec(step(), 0..200),
        memory in 0..90_u64,
        ssd in 0..150_u64,
    ) {
        for policy in PolicyName::ALL {
            let (mut tiers, mut cache) = (Tiers::new(policy, TierSizes { memory, ssd }), Cache::default());
            for step in &steps {
                take(&mut tiers, &mut cache, step);
                for tier in Tier::BOTH {
                    let usage = tiers.usage(tier);
                    prop_assert!(usage.bytes <= tiers.sizes().of(tier), "{}: {:?} in {}", policy, usage, tier);
                    prop_assert_eq!(usage.bytes, cache.bytes(tier));
                    let keys: Vec<_> = tiers.keys(tier).collect();
                    prop_assert_eq!(usage.entries, keys.len() as u64);
                    let is_there = |key: &u8| cache.held[key].0 == tier && tiers.find(key) == Some(tier);
                    prop_assert!(keys.into_iter().all(is_there));
                    prop_assert!(tiers.sizes().of(tier) > 0 || usage.entries == 0);
                }
            }
        }
    }
}
