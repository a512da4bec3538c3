//! What is in which tier, and that it is what the policy says.

use headwater_cache::{
    CacheError, Entry, GlimpseBuffer, Kept, Kind, KindName, NotKept, Outcome, PolicyName, Rejected, Source, Tier, Worth,
};
use headwater_types::{Amount, ByteCount, Digest};
use proptest::prelude::*;
use tempfile::TempDir;

use crate::common::{MIB, blocks, entry, files, is_there, key, key_of, open, put, settings, usage};

#[test]
fn what_memory_has_no_room_for_is_demoted_and_what_is_found_there_is_promoted_and_leaves_the_ssd() {
    let folder = TempDir::new().unwrap();
    // 7/8 of memory is the tier's: 14 entries of 4,000 bytes.
    let cache = open(&folder, 64_000, MIB);
    (0..20).for_each(|sample| assert_eq!(put(&cache, sample, 4000), Kept::In(Tier::Memory)));
    cache.settle();
    assert_eq!((usage(&cache, Tier::Memory), usage(&cache, Tier::Ssd)), ((56_000, 14), (6 * 4096, 6)));
    assert_eq!((files(&folder).len(), blocks(&folder)), (6, 6 * 4096));
    assert_eq!((cache.find(&key(0)), cache.find(&key(19))), (Some(Tier::Ssd), Some(Tier::Memory)));
    assert_eq!(cache.get(&key(0)).unwrap(), (entry(0, 4000), Tier::Ssd));
    assert_eq!(cache.get_in_memory(&key(0)).unwrap(), (entry(0, 4000), Tier::Memory));
    cache.settle();
    assert_eq!((usage(&cache, Tier::Memory).1, files(&folder).len()), (14, 6));
    let counts = cache.counts();
    let of = |outcome| counts.total(outcome);
    assert_eq!((of(Outcome::SsdHit), of(Outcome::MemoryHit), of(Outcome::Miss)), (1, 1, 0));
    assert_eq!((of(Outcome::Promoted), of(Outcome::Demoted), of(Outcome::Admitted)), (1, 7, 20));
    assert_eq!(cache.latency(Source::Ssd).count(), 1);
    (0..20).for_each(|sample| assert!(is_there(&cache, sample, 4000), "{sample}"));
}

#[test]
fn with_no_memory_the_ssd_works_alone_and_with_no_ssd_memory_does() {
    let folder = TempDir::new().unwrap();
    let ssd = open(&folder, 0, 10 * 8192);
    (0..12).for_each(|sample| assert_eq!(put(&ssd, sample, 5000), Kept::In(Tier::Ssd)));
    assert!((0..12).all(|sample| is_there(&ssd, sample, 5000) == (sample >= 2)));
    assert_eq!((ssd.held().get(), usage(&ssd, Tier::Ssd), blocks(&folder)), (0, (10 * 8192, 10), 10 * 8192));
    assert_eq!((ssd.counts().total(Outcome::Evicted), ssd.counts().total(Outcome::Promoted)), (2, 0));
    let mut settings = settings(folder.path(), 10 * 5000, 0, PolicyName::Lru);
    settings.ssd = None;
    let memory = headwater_cache::Cache::open(settings).unwrap();
    (0..12).for_each(|sample| assert_eq!(put(&memory, sample, 5000), Kept::In(Tier::Memory)));
    assert!((0..12).all(|sample| is_there(&memory, sample, 5000) == (sample >= 2)));
    assert_eq!((memory.held().get(), memory.counts().total(Outcome::Evicted)), (50_000, 2));
}

#[test]
fn an_entry_larger_than_memory_goes_to_the_ssd_and_one_larger_than_both_is_rejected() {
    let folder = TempDir::new().unwrap();
    let cache = open(&folder, 64_000, 2 * MIB);
    assert_eq!(put(&cache, 1, 100_000), Kept::In(Tier::Ssd));
    assert_eq!(put(&cache, 2, 3 << 20), Kept::Not(Rejected::TooLarge));
    assert!(is_there(&cache, 1, 100_000) && !is_there(&cache, 2, 3 << 20));
    assert_eq!((cache.held().get(), cache.counts().total(Outcome::Rejected)), (0, 1));
    // Larger than its key allows.
    assert_eq!(put(&open(&folder, 64 * MIB, 64 * MIB), 3, 5 << 20), Kept::Not(Rejected::TooLarge));
}

#[test]
fn an_entry_larger_than_what_is_held_back_finds_room_too() {
    let folder = TempDir::new().unwrap();
    let cache = open(&folder, 64_000, MIB);
    for sample in 0..10 {
        assert_eq!(put(&cache, sample, 30_000), Kept::In(Tier::Memory));
        assert!(cache.held().get() <= 64_000);
    }
    assert!((0..10).all(|sample| is_there(&cache, sample, 30_000)));
}

#[test]
fn no_byte_is_in_both_tiers_and_memory_never_holds_more_than_its_limit() {
    let folder = TempDir::new().unwrap();
    let cache = open(&folder, 100_000, 400_000);
    for step in 0..600_u32 {
        let sample = step * 7919 % 90;
        let length = 1000 + sample as usize * 40;
        if !is_there(&cache, sample, length) {
            put(&cache, sample, length);
        }
        assert!(cache.held().get() <= 100_000 && blocks(&folder) <= 400_000);
    }
    cache.settle();
    assert_eq!(usage(&cache, Tier::Ssd).1, files(&folder).len() as u64);
    assert_eq!(usage(&cache, Tier::Ssd).0, blocks(&folder));
}

/// foyer 743: an upsert that is not admitted must not leave the earlier value.
#[test]
fn a_value_that_is_not_admitted_leaves_no_earlier_one_behind() {
    let folder = TempDir::new().unwrap();
    for memory in [0, 64_000] {
        let cache = open(&folder, memory, 200_000);
        for _ in 0..3 {
            put(&cache, 1, 3000);
            cache.settle();
            assert_eq!(put(&cache, 1, 300_000), Kept::Not(Rejected::TooLarge));
            cache.settle();
            assert_eq!(cache.get(&key(1)), None, "memory {memory}");
            assert!(files(&folder).is_empty());
        }
    }
}

#[test]
fn a_value_is_replaced_in_whichever_tier_it_is() {
    let folder = TempDir::new().unwrap();
    let cache = open(&folder, 64_000, MIB);
    for length in [3000, 100_000, 5000, 120_000, 90_000, 10] {
        put(&cache, 1, length);
        (2..30).for_each(|sample| assert!(matches!(put(&cache, sample, 4000), Kept::In(_))));
        assert!(is_there(&cache, 1, length), "{length}");
    }
    cache.settle();
    assert_eq!(usage(&cache, Tier::Ssd).1, files(&folder).len() as u64);
}

#[test]
fn kinds_are_entries_of_their_own_and_counted_apart() {
    let folder = TempDir::new().unwrap();
    let cache = open(&folder, 64_000, MIB);
    let (one, two) = (Digest::of(b"one"), Digest::of(b"two"));
    let kinds = [
        Kind::Encoded,
        Kind::Indexed,
        Kind::Resized { recipe: one },
        Kind::Resized { recipe: two },
        Kind::Features { model: one },
    ];
    for (at, kind) in (0..).zip(kinds) {
        assert_eq!(cache.get(&key_of(kind, 1)), None, "{kind}");
        cache.put(&key_of(kind, 1), &entry(at, 1000), &Worth::of_cost(0.01));
    }
    for (at, kind) in (0..).zip(kinds) {
        assert_eq!(cache.get(&key_of(kind, 1)).unwrap().0, entry(at, 1000), "{kind}");
    }
    let of = |outcome, kind| cache.counts().of(outcome, kind);
    assert_eq!((of(Outcome::MemoryHit, KindName::Resized), of(Outcome::Miss, KindName::Features)), (2, 1));
    assert_eq!(cache.usage(Tier::Memory, KindName::Resized).bytes, 2000);
    cache.close(std::time::Duration::from_secs(60));
    assert_eq!((usage(&cache, Tier::Memory).1, cache.usage(Tier::Ssd, KindName::Resized).entries), (0, 2));
    drop(cache);
    let again = open(&folder, 0, MIB);
    assert_eq!(KindName::ALL.map(|kind| again.usage(Tier::Ssd, kind).entries), [1, 1, 2, 1]);
}

#[test]
fn a_glimpse_sees_what_memory_has_and_without_memory_what_the_system_has() {
    let folder = TempDir::new().unwrap();
    let mut buffer = GlimpseBuffer::default();
    let Entry::Bytes(bytes) = entry(1, 100_000) else { unreachable!() };
    for memory in [0, MIB] {
        let cache = open(&folder, memory, MIB);
        put(&cache, 1, 100_000);
        assert!(cache.get(&key(1)).is_some());
        // A file system that cannot tell what it has in memory gives none.
        if let Some(mut glimpse) = cache.glimpse(&key(1), &mut buffer) {
            assert_eq!(glimpse.length(), 100_000);
            assert_eq!(glimpse.with(50_000..60_000).unwrap().1, &bytes[50_000..60_000]);
            assert!(glimpse.with(50_000..100_001).is_none());
            assert_eq!(cache.counts().total(Outcome::MemoryHit) + cache.counts().total(Outcome::SsdHit), 2);
        } else {
            assert_eq!(memory, 0);
        }
        assert!(cache.glimpse(&key(2), &mut buffer).is_none());
    }
}

#[test]
fn a_limit_that_is_too_low_to_work_is_said_at_the_start() {
    let folder = TempDir::new().unwrap();
    for (memory, ssd, word) in [(100, MIB, "memory"), (MIB, 4096, "SSD")] {
        let error = headwater_cache::Cache::open(settings(folder.path(), memory, ssd, PolicyName::Lru)).unwrap_err();
        assert!(matches!(error, CacheError::TooLow { .. }) && error.to_string().contains(word), "{error}");
    }
    assert!(!folder.path().join("cache").exists());
}

#[test]
fn below_the_floor_of_free_space_nothing_is_put_and_what_is_there_makes_way() {
    let folder = TempDir::new().unwrap();
    let opened = |floor| {
        let mut settings = settings(folder.path(), 0, MIB, PolicyName::Lru);
        settings.ssd.as_mut().unwrap().floor = floor;
        headwater_cache::Cache::open(settings).unwrap()
    };
    let cache = opened(Some(Amount::ZERO));
    (0..100).for_each(|sample| assert_eq!(put(&cache, sample, 4000), Kept::In(Tier::Ssd)));
    drop(cache);
    // More than any disk has.
    let cache = opened(Some(Amount::Bytes(ByteCount::new(u64::MAX / 4))));
    assert_eq!(files(&folder).len(), 100, "what is there is served until something is put");
    assert_eq!(put(&cache, 100, 4000), Kept::Not(Rejected::NotKept(NotKept::Floor)));
    assert!(files(&folder).len() < 90, "each put gives some room back");
    assert_eq!(put(&cache, 101, 4000), Kept::Not(Rejected::NotKept(NotKept::Floor)));
    assert_eq!((files(&folder).len(), cache.counts().total(Outcome::Evicted)), (0, 100));
    assert_eq!(cache.directory_counts().not_kept(NotKept::Floor), 2);
}

#[test]
fn what_others_filled_never_gives_way_to_one_that_evicts_nothing() {
    let folder = TempDir::new().unwrap();
    let opened = |policy| headwater_cache::Cache::open(settings(folder.path(), 0, 100 * 4096, policy)).unwrap();
    let (fixed, moving) = (opened(PolicyName::Static), opened(PolicyName::Lru));
    assert_eq!(put(&fixed, 1000, 4000), Kept::In(Tier::Ssd));
    (0..99).for_each(|sample| assert_eq!(put(&moving, sample, 4000), Kept::In(Tier::Ssd)));
    let sorted = || {
        let mut files = files(&folder);
        files.sort();
        files
    };
    let full = sorted();
    assert_eq!(full.len(), 100);
    assert_eq!(put(&fixed, 1001, 4000), Kept::Not(Rejected::NotKept(NotKept::Limit)));
    assert!(sorted() == full, "neither its own nor the others'");
    assert_eq!(put(&moving, 99, 4000), Kept::In(Tier::Ssd));
    assert_eq!(sorted().len(), 100);
}

#[derive(Clone, Debug)]
enum Step {
    Put(u32, usize),
    Get(u32),
    Close,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0..12_u32, prop_oneof![0..9000_usize, 9000..70_000_usize]).prop_map(|(s, length)| Step::Put(s, length)),
        5 => (0..12_u32).prop_map(Step::Get),
        1 => Just(Step::Close),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn it_is_a_map_that_may_forget_but_never_errs(
        steps in prop::collection::vec(step(), 1..50), memory in prop_oneof![Just(0), Just(40_000_u64)],
    ) {
        let folder = TempDir::new().unwrap();
        let mut cache = open(&folder, memory, 100_000);
        let mut model = std::collections::BTreeMap::new();
        for step in steps {
            match step {
                Step::Put(sample, length) => {
                    let kept = cache.put(&key(sample), &entry(sample, length), &Worth::of_cost(0.01));
                    match kept {
                        Kept::In(_) => model.insert(sample, length),
                        Kept::Not(_) => model.remove(&sample),
                    };
                }
                Step::Get(sample) => if let Some((found, _)) = cache.get(&key(sample)) {
                    prop_assert!(Some(found) == model.get(&sample).map(|length| entry(sample, *length)));
                },
                Step::Close => cache.close(std::time::Duration::from_secs(60)),
                Step::Reopen => {
                    drop(cache);
                    cache = open(&folder, memory, 100_000);
                }
            }
            prop_assert!(cache.held().get() <= memory && blocks(&folder) <= 100_000);
        }
        cache.settle();
        prop_assert_eq!(usage(&cache, Tier::Ssd), (blocks(&folder), files(&folder).len() as u64));
    }
}
