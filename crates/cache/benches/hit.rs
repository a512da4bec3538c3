//! A hit in memory, against quick_cache's; and the other ways of an entry.
//!
//! `cargo bench -p headwater-cache`. Argument: entries (10,000 of 1 kB).

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use headwater_cache::{Cache, CacheSettings, Entry, EntryKey, Kind, PolicyName, SsdSettings, Worth};
use headwater_store::Version;
use headwater_types::{ByteCount, Digest};

const LENGTH: usize = 1000;
const ROUNDS: usize = 20;
const THREADS: [usize; 3] = [1, 2, 4];

fn key(sample: usize) -> Result<EntryKey, Box<dyn Error>> {
    let (sample, version) = (format!("n0{sample:07}.jpg").parse()?, Version::of_file(10, 1, 2));
    Ok(EntryKey::new(Kind::Encoded, &Digest::of(b"/srv/photos"), &sample, version, ByteCount::mebibytes(1)))
}

/// Nanoseconds that each of so many threads takes for one, in the fastest of a few rounds.
fn nanoseconds(threads: usize, entries: usize, one: impl Fn(usize) + Sync) -> f64 {
    let round = |_| {
        let begun = Instant::now();
        std::thread::scope(|scope| {
            for thread in 0..threads {
                let one = &one;
                // In another order for each thread.
                scope.spawn(move || (0..entries).for_each(|at| one((at * (7919 + 2 * thread)) % entries)));
            }
        });
        begun.elapsed().as_secs_f64() * 1e9 / entries as f64
    };
    (0..ROUNDS).map(round).fold(f64::INFINITY, f64::min)
}

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds `--bench`.
    let entries = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(10_000);
    let keys = (0..entries).map(key).collect::<Result<Vec<_>, _>>()?;
    let value = Entry::Bytes(Bytes::from(vec![7; LENGTH]));
    let memory = ByteCount::from(LENGTH * entries * 2);
    for policy in [PolicyName::Lru, PolicyName::S3Fifo, PolicyName::Importance] {
        let cache = Cache::open(CacheSettings { memory, ssd: None, policy })?;
        keys.iter().for_each(|key| {
            black_box(cache.put(key, &value, &Worth::of_cost(0.01)));
        });
        let hit = |at: usize| assert!(black_box(cache.get_in_memory(&keys[at])).is_some());
        let each = THREADS.map(|threads| format!("{:.0}", nanoseconds(threads, entries, hit)));
        println!("{policy:>10}: a hit takes {} ns on {THREADS:?} threads", each.join(", "));
    }
    let peer = quick_cache::sync::Cache::<[u8; 32], Bytes>::new(entries * 2);
    keys.iter().for_each(|key| peer.insert(*key.digest().as_bytes(), Bytes::from(vec![7; LENGTH])));
    let hit = |at: usize| assert!(black_box(peer.get(keys[at].digest().as_bytes())).is_some());
    let each = THREADS.map(|threads| format!("{:.0}", nanoseconds(threads, entries, hit)));
    println!("quick_cache: a hit takes {} ns on {THREADS:?} threads", each.join(", "));
    println!(
        "       key: making one takes {:.0} ns",
        nanoseconds(1, entries, |at| {
            black_box(key(at).is_ok());
        })
    );
    on_ssd(&keys, &value)
}

/// Entries on the SSD, through the page cache.
fn on_ssd(keys: &[EntryKey], value: &Entry) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let ssd = SsdSettings {
        folder: folder.path().join("cache"),
        limit: ByteCount::mebibytes(1024),
        floor: Some(ByteCount::new(0)),
    };
    let cache = Cache::open(CacheSettings { memory: ByteCount::new(0), ssd: Some(ssd), policy: PolicyName::Lru })?;
    let begun = Instant::now();
    keys.iter().for_each(|key| {
        black_box(cache.put(key, value, &Worth::of_cost(0.01)));
    });
    let put = begun.elapsed().as_secs_f64() * 1e6 / keys.len() as f64;
    let hit = nanoseconds(1, keys.len(), |at| assert!(black_box(cache.get(&keys[at])).is_some())) / 1e3;
    println!("       SSD: putting {LENGTH} B takes {put:.1} us, a hit {hit:.1} us");
    Ok(())
}
