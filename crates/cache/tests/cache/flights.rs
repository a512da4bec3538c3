//! Many ask for one absent entry, and one brings it.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};

use headwater_cache::{Entry, Flight, Outcome, Source, Worth};
use tempfile::TempDir;

use crate::common::{MIB, entry, key, open};

#[test]
fn many_threads_that_ask_for_an_absent_entry_read_its_origin_once() {
    for memory in [0, MIB] {
        let folder = TempDir::new().unwrap();
        let (cache, read, barrier) = (open(&folder, memory, MIB), AtomicU32::new(0), Barrier::new(8));
        for sample in 0..20 {
            std::thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        barrier.wait();
                        let got = cache.get_or_make(&key(sample), &Worth::of_cost(0.1), || {
                            read.fetch_add(1, Ordering::Relaxed);
                            Ok::<Entry, ()>(entry(sample, 3000))
                        });
                        assert_eq!(got, Ok(entry(sample, 3000)));
                    });
                }
            });
            assert_eq!(read.load(Ordering::Relaxed), sample + 1);
        }
        let counts = cache.counts();
        assert_eq!(counts.total(Outcome::Origin), 20);
        let looks = [Outcome::Miss, Outcome::MemoryHit, Outcome::SsdHit].map(|outcome| counts.total(outcome));
        assert!(looks.iter().sum::<u64>() - counts.total(Outcome::Coalesced) >= 20);
        assert_eq!(cache.latency(Source::Origin).count(), 20);
    }
}

#[test]
fn where_the_first_fails_the_next_brings_it_and_the_failure_is_the_firsts_alone() {
    let folder = TempDir::new().unwrap();
    let (cache, tries, barrier) = (open(&folder, MIB, MIB), AtomicU32::new(0), Barrier::new(6));
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..6)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    cache.get_or_make(&key(1), &Worth::of_cost(0.1), || {
                        // The others are waiting, or come later.
                        match tries.fetch_add(1, Ordering::Relaxed) {
                            0 => Err("the origin was away"),
                            _ => Ok(entry(1, 3000)),
                        }
                    })
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(results.iter().filter(|result| result.is_err()).count(), 1);
    assert_eq!((tries.load(Ordering::Relaxed), cache.counts().total(Outcome::Origin)), (2, 1));
}

#[test]
fn what_the_cache_does_not_keep_is_brought_once_for_all_that_wait() {
    let folder = TempDir::new().unwrap();
    let cache = open(&folder, 64_000, MIB);
    let Flight::Lead(lead) = cache.flight(&key(1)) else { panic!("nobody leads yet") };
    let Flight::Follow(follow) = cache.flight(&key(1)) else { panic!("somebody leads") };
    assert_eq!(cache.get_again(&key(1)), None);
    lead.land(entry(1, 3 << 20));
    assert_eq!(follow.wait(), Some(entry(1, 3 << 20)));
    assert_eq!((cache.get(&key(1)), cache.counts().total(Outcome::Miss)), (None, 1));
}
