//! `lru`, `lfu` and `static` do to the access what the same rules do when they are written with lists.

use headwater_policy::{Facts, PolicyName, Tier, TierSizes, Tiers};
use proptest::prelude::*;

use crate::naive::Naive;

/// Accesses: a few keys often and many rarely, each of a size of its own.
fn accesses() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(prop_oneof![0..6_u32, 0..40_u32], 0..400)
}

fn bytes(key: u32) -> u64 {
    u64::from(key * 7 % 13)
}

fn keys(tiers: &Tiers<u32>, tier: Tier) -> Vec<u32> {
    let mut keys: Vec<_> = tiers.keys(tier).copied().collect();
    keys.sort_unstable();
    keys
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn two_implementations_agree(accesses in accesses(), memory in 0..60_u64, ssd in 0..100_u64) {
        for policy in [PolicyName::Lru, PolicyName::Lfu, PolicyName::Static] {
            let sizes = TierSizes { memory, ssd };
            let (mut tiers, mut naive, mut moved) = (Tiers::new(policy, sizes), Naive::new(policy, sizes), Vec::new());
            for &key in &accesses {
                let found = tiers.access(&key, &mut moved);
                if found.is_none() {
                    tiers.admit(key, Facts::of_bytes(bytes(key)), &mut moved);
                }
                prop_assert_eq!(found, naive.read(key, bytes(key)), "{} of {}", policy, key);
                for tier in Tier::BOTH {
                    prop_assert_eq!(keys(&tiers, tier), naive.keys(tier), "{} in {}", policy, tier);
                }
            }
        }
    }
}
