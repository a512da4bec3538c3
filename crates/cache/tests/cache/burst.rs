//! Entries that come faster than the disk takes them: foyer 1334 drops them in silence.

use headwater_cache::{Kept, Outcome, PolicyName, Tier};
use tempfile::TempDir;

use crate::common::{MIB, blocks, is_there, key, open, put, settings, usage};

/// Puts all, from two threads, and says how many were found afterwards, evicted or rejected.
fn burst(entries: u32, length: usize, memory: u64, ssd: u64, policy: PolicyName) -> (u64, u64, u64) {
    let folder = TempDir::new().unwrap();
    let cache = headwater_cache::Cache::open(settings(folder.path(), memory, ssd, policy)).unwrap();
    std::thread::scope(|scope| {
        for half in 0..2 {
            let cache = &cache;
            scope.spawn(move || {
                for sample in (half..entries).step_by(2) {
                    put(cache, sample, length);
                    assert!(cache.held().get() <= memory);
                }
            });
        }
    });
    cache.settle();
    let counts = cache.counts();
    let known = (0..entries).filter(|sample| cache.contains(&key(*sample))).count() as u64;
    let found = (0..entries).filter(|sample| is_there(&cache, *sample, length)).count() as u64;
    assert_eq!(known, found);
    cache.settle();
    assert!(blocks(&folder) <= ssd);
    assert_eq!(usage(&cache, Tier::Ssd).0, blocks(&folder));
    (found, counts.total(Outcome::Evicted), counts.total(Outcome::Rejected))
}

#[test]
fn entries_put_faster_than_the_disk_writes_are_all_found_or_counted_as_evicted_or_rejected() {
    // 8,000 of 110 kB, 64 MiB and 2 GiB, at a tenth of each; then with an SSD that is too small; then with none.
    for (ssd, policy) in [(200 * MIB, PolicyName::Lru), (40 * MIB, PolicyName::Lru), (40 * MIB, PolicyName::Static)] {
        let (found, evicted, rejected) = burst(800, 110_000, 6 * MIB, ssd, policy);
        assert_eq!(found + evicted + rejected, 800, "{found} found, {evicted} evicted, {rejected} rejected");
        assert!(ssd < 100 * MIB || found == 800, "{found} of 800, where there was room for all");
        assert!(found > 350);
    }
    let (found, evicted, rejected) = burst(2000, 784, MIB, 0, PolicyName::Lru);
    assert_eq!((found + evicted + rejected, found), (2000, MIB / 784));
}

#[test]
#[ignore = "a minute and 2 GiB of disk: scripts/torture cache"]
fn eight_thousand_entries_of_110_kb_are_all_found() {
    assert_eq!(burst(8000, 110_000, 64 * MIB, 2048 * MIB, PolicyName::Lru), (8000, 0, 0));
}

#[test]
fn who_puts_waits_for_the_disk_and_loses_nothing_when_the_cache_is_dropped() {
    let folder = TempDir::new().unwrap();
    let cache = open(&folder, MIB, 100 * MIB);
    (0..100).for_each(|sample| assert_eq!(put(&cache, sample, 50_000), Kept::In(Tier::Memory)));
    let in_memory = usage(&cache, Tier::Memory).1;
    drop(cache);
    let again = open(&folder, 0, 100 * MIB);
    assert_eq!(usage(&again, Tier::Ssd).1, 100 - in_memory);
}
