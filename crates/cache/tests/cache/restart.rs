//! What had reached the SSD is there for the next process; and a smaller limit is kept before anything is served.

use std::time::Duration;

use headwater_cache::{Outcome, PolicyName, Tier};
use tempfile::TempDir;

use crate::common::{MIB, blocks, entry, files, is_there, key, open, put, settings, usage};

/// slatedb 1545: 1,878 of 12,249 blocks are hit after a clean restart.
#[test]
fn all_that_had_reached_the_ssd_is_hit_after_a_clean_restart_and_after_an_unclean_one() {
    for clean in [true, false] {
        let folder = TempDir::new().unwrap();
        let cache = open(&folder, MIB, 64 * MIB);
        (0..500).for_each(|sample| assert!(matches!(put(&cache, sample, 10_000), headwater_cache::Kept::In(_))));
        if clean {
            cache.close(Duration::from_secs(600));
            drop(cache);
        } else {
            cache.settle();
            // As after a kill: nothing more is done, and a file is left half written.
            let shard = files(&folder)[0].parent().unwrap().to_owned();
            std::fs::write(shard.join("_0123456789abcdef"), [0; 9000]).unwrap();
            std::mem::forget(cache);
        }
        let reached = files(&folder).len() - usize::from(!clean);
        let again = open(&folder, MIB, 64 * MIB);
        assert_eq!((usage(&again, Tier::Ssd).1, files(&folder).len()), (reached as u64, reached));
        assert!(reached == 500 || !clean);
        let hit = (0..500).filter(|sample| is_there(&again, *sample, 10_000)).count();
        assert_eq!((hit, again.counts().total(Outcome::SsdHit)), (reached, reached as u64));
    }
}

/// foyer keeps old files after its limit was lowered.
#[test]
fn with_half_the_limit_it_is_under_it_before_it_serves_and_the_newest_stay() {
    let folder = TempDir::new().unwrap();
    for policy in [PolicyName::Lru, PolicyName::Static, PolicyName::Importance] {
        let opened = |limit| headwater_cache::Cache::open(settings(folder.path(), 0, limit, policy)).unwrap();
        let cache = opened(100 * 8192);
        (0..100).for_each(|sample| assert!(matches!(put(&cache, sample, 5000), headwater_cache::Kept::In(_))));
        drop(cache);
        let half = opened(50 * 8192);
        assert_eq!((blocks(&folder), usage(&half, Tier::Ssd)), (50 * 8192, (50 * 8192, 50)));
        assert_eq!(half.counts().total(Outcome::Evicted), 50);
        let newest = (50..100).filter(|sample| is_there(&half, *sample, 5000)).count();
        assert!(newest > 45, "{newest}: times of files are as fine as the system's clock ticks");
        drop(half);
        std::fs::remove_dir_all(folder.path().join("cache")).unwrap();
    }
}

#[test]
fn after_a_restart_what_was_written_first_goes_first() {
    let folder = TempDir::new().unwrap();
    let cache = open(&folder, 0, 100 * 8192);
    for sample in 0..100 {
        put(&cache, sample, 5000);
        if sample % 10 == 9 {
            // As coarse as the clock of a file system may be.
            std::thread::park_timeout(Duration::from_millis(15));
        }
    }
    drop(cache);
    let again = open(&folder, 0, 100 * 8192);
    (100..150).for_each(|sample| assert!(matches!(put(&again, sample, 5000), headwater_cache::Kept::In(_))));
    assert_eq!((0..150).filter(|sample| is_there(&again, *sample, 5000)).count(), 100);
    assert!((0..40).all(|sample| again.find(&key(sample)).is_none()));
    assert!((60..150).all(|sample| again.find(&key(sample)) == Some(Tier::Ssd)));
}

#[test]
fn files_of_an_older_version_make_way() {
    let folder = TempDir::new().unwrap();
    drop(open(&folder, 0, MIB));
    let shard = folder.path().join("cache/3f");
    std::fs::create_dir(&shard).unwrap();
    std::fs::write(shard.join("a1b2c3d4e5f607-0123456789abcdef-fedcba9876543210"), [0; 5000]).unwrap();
    let cache = open(&folder, 0, MIB);
    assert_eq!((blocks(&folder), usage(&cache, Tier::Ssd).1), (0, 0));
    put(&cache, 1, 100);
    assert_eq!(cache.get(&key(1)).unwrap().0, entry(1, 100));
}

#[test]
fn a_lost_ledger_is_counted_anew_without_anybody_asking() {
    let folder = TempDir::new().unwrap();
    drop(open(&folder, 0, MIB));
    std::fs::create_dir_all(folder.path().join("cache/00")).unwrap();
    std::fs::write(folder.path().join("cache/usage"), b"torn").unwrap();
    let cache = open(&folder, 0, MIB);
    let kept = (0..1000).find(|_| {
        std::thread::park_timeout(Duration::from_millis(10));
        put(&cache, 1, 3000) == headwater_cache::Kept::In(Tier::Ssd)
    });
    assert!(kept.is_some() && is_there(&cache, 1, 3000));
}

#[test]
fn what_another_process_removes_or_adds_is_a_miss_or_a_hit() {
    let folder = TempDir::new().unwrap();
    let (one, two) = (open(&folder, 0, MIB), open(&folder, 0, MIB));
    put(&one, 1, 5000);
    assert!(is_there(&two, 1, 5000));
    assert_eq!(usage(&two, Tier::Ssd).1, 1);
    files(&folder).iter().for_each(|file| std::fs::remove_file(file).unwrap());
    assert_eq!((one.get(&key(1)), two.get(&key(1))), (None, None));
    assert_eq!((usage(&one, Tier::Ssd).1, usage(&two, Tier::Ssd).1), (0, 0));
    put(&two, 1, 6000);
    assert!(is_there(&one, 1, 6000));
}
