//! A hit in memory, against moka's and quick_cache's; and the other ways of an entry.
//!
//! `cargo bench -p headwater-cache`. Argument: entries (10,000 of 1 kB).

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use headwater_cache::{Cache, CacheSettings, Entry, EntryKey, Kind, PolicyName, SsdSettings, Worth};
use headwater_store::Version;
use headwater_types::{Amount, ByteCount, Digest};

const LENGTH: usize = 1000;
const ROUNDS: usize = 20;
const THREADS: [usize; 3] = [1, 2, 4];

fn key(sample: usize) -> Result<EntryKey, Box<dyn Error>> {
    let (sample, version) = (format!("n0{sample:07}.jpg").parse()?, Version::of_file(10, 1, 2));
    Ok(EntryKey::new(Kind::Encoded, &Digest::of(b"/srv/photos"), &sample, version, ByteCount::mebibytes(1)))
}

/// What is measured: something done with the entry at a place.
type One<'a> = Box<dyn Fn(usize) + Sync + 'a>;

/// Nanoseconds that each of so many threads takes for one, in one round.
fn nanoseconds(threads: usize, entries: usize, one: &(impl Fn(usize) + Sync + ?Sized)) -> f64 {
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            // In another order for each thread.
            scope.spawn(move || (0..entries).for_each(|at| one((at * (7919 + 2 * thread)) % entries)));
        }
    });
    begun.elapsed().as_secs_f64() * 1e9 / entries as f64
}

/// The same in the fastest of a few rounds.
fn fastest(entries: usize, one: &(impl Fn(usize) + Sync)) -> f64 {
    (0..ROUNDS).map(|_| nanoseconds(1, entries, one)).fold(f64::INFINITY, f64::min)
}

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds `--bench`.
    let entries = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(10_000);
    let keys = (0..entries).map(key).collect::<Result<Vec<_>, _>>()?;
    let value = Entry::Bytes(Bytes::from(vec![7; LENGTH]));
    let memory = ByteCount::from(LENGTH * entries * 2);
    let moka = moka::sync::Cache::<[u8; 32], Bytes>::new(entries as u64 * 2);
    let quick_cache = quick_cache::sync::Cache::<[u8; 32], Bytes>::new(entries * 2);
    for key in &keys {
        moka.insert(*key.digest().as_bytes(), Bytes::from(vec![7; LENGTH]));
        quick_cache.insert(*key.digest().as_bytes(), Bytes::from(vec![7; LENGTH]));
    }
    moka.run_pending_tasks();
    let digest = |at: usize| keys[at].digest().as_bytes();
    let mut contenders: Vec<(&str, One<'_>)> = Vec::new();
    for policy in [PolicyName::Lru, PolicyName::S3Fifo, PolicyName::Importance] {
        let (cache, keys) = (Cache::open(CacheSettings { memory, ssd: None, policy })?, &keys);
        keys.iter().for_each(|key| {
            black_box(cache.put(key, &value, &Worth::of_cost(0.01)));
        });
        let hit = move |at: usize| assert!(black_box(cache.get_in_memory(&keys[at])).is_some());
        contenders.push((policy.name(), Box::new(hit)));
    }
    contenders.push(("moka", Box::new(|at| assert!(black_box(moka.get(digest(at))).is_some()))));
    contenders.push(("quick_cache", Box::new(|at| assert!(black_box(quick_cache.get(digest(at))).is_some()))));
    // Turn about: the fastest of a few rounds each.
    let mut best = vec![[f64::INFINITY; THREADS.len()]; contenders.len()];
    for _ in 0..ROUNDS {
        for ((_, hit), best) in contenders.iter().zip(&mut best) {
            for (threads, best) in THREADS.into_iter().zip(best) {
                *best = best.min(nanoseconds(threads, entries, hit));
            }
        }
    }
    for ((name, _), best) in contenders.iter().zip(&best) {
        let each = best.map(|nanoseconds| format!("{nanoseconds:.0}"));
        println!("{name:>11}: a hit takes {} ns on {THREADS:?} threads", each.join(", "));
    }
    let making = fastest(entries, &|at| {
        black_box(key(at).is_ok());
    });
    println!("{:>11}: making one takes {making:.0} ns", "key");
    on_ssd(&keys, &value)
}

/// Entries on the SSD, through the page cache.
fn on_ssd(keys: &[EntryKey], value: &Entry) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let ssd = SsdSettings {
        folder: folder.path().join("cache"),
        limit: ByteCount::mebibytes(1024),
        floor: Some(Amount::ZERO),
    };
    let cache = Cache::open(CacheSettings { memory: ByteCount::new(0), ssd: Some(ssd), policy: PolicyName::Lru })?;
    let begun = Instant::now();
    keys.iter().for_each(|key| {
        black_box(cache.put(key, value, &Worth::of_cost(0.01)));
    });
    let put = begun.elapsed().as_secs_f64() * 1e6 / keys.len() as f64;
    let hit = fastest(keys.len(), &|at| assert!(black_box(cache.get(&keys[at])).is_some())) / 1e3;
    println!("{:>11}: putting {LENGTH} B takes {put:.1} us, a hit {hit:.1} us", "SSD");
    Ok(())
}
