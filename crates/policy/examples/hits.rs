//! What a hit and an admission cost the policies: a million entries of random keys, on one core.
//!
//! `cargo run --release -p headwater-policy --example hits`

use std::time::Instant;

use headwater_policy::{Facts, PolicyName, TierSizes, Tiers};

const ENTRIES: u64 = 1_000_000;
const ACCESSES: u64 = 4_000_000;

fn main() {
    println!("{:<12} {:>12} {:>12} {:>12}", "policy", "fill, ns", "hit, ns", "miss, ns");
    for policy in PolicyName::ALL {
        let mut tiers = Tiers::new(policy, TierSizes { memory: ENTRIES, ssd: 0 });
        let mut moved = Vec::new();
        let fill = timed(ENTRIES, |key| {
            tiers.admit(key, facts(key), &mut moved);
        });
        let mut found = 0;
        let hit = timed(ACCESSES, |number| {
            found += u64::from(tiers.access(&(mixed(number) % ENTRIES), &mut moved).is_some());
        });
        assert_eq!(found, ACCESSES, "everything fits");
        let miss = timed(ENTRIES, |number| {
            let key = ENTRIES + number;
            if tiers.access(&key, &mut moved).is_none() {
                tiers.admit(key, facts(key), &mut moved);
            }
            moved.clear();
        });
        println!("{:<12} {fill:>12.0} {hit:>12.0} {miss:>12.0}", policy.name());
    }
}

fn facts(key: u64) -> Facts {
    let importance = 1.0 + (mixed(key) % 1000) as f32 / 100.0;
    Facts { importance, next_use: Some(mixed(key) % (1 << 40)), ..Facts::of_bytes(1) }
}

fn timed(times: u64, mut call: impl FnMut(u64)) -> f64 {
    let start = Instant::now();
    (0..times).for_each(&mut call);
    start.elapsed().as_nanos() as f64 / times as f64
}

fn mixed(number: u64) -> u64 {
    let bits = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (bits ^ (bits >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93) >> 8
}
