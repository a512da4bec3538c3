//! Measures what `cache/src/lib.rs` argues with: a file for each entry against a log of segments, and how long a start
//! takes with many entries.
//!
//! ```text
//! cargo run --release -p headwater-cache --example file_or_log -- FOLDER               both, for three sizes
//! cargo run --release -p headwater-cache --example file_or_log -- FOLDER ENTRIES       a start with so many entries
//! ```
//!
//! The log is as plain as one can be and still keep single victims: segments of 8 MiB, an index in memory, frames as
//! the files have them, an index at the end of each segment; a segment of which less than half is alive is compacted.

#![expect(clippy::unwrap_used, reason = "a measurement that panics has said what went wrong")]

mod log;

use std::path::Path;
use std::time::{Duration, Instant};

use headwater_cache::{
    Cache, CacheSettings, Directory, Entry, EntryKey, Frame, Kind, KindName, PolicyName, SsdSettings, Tier,
};
use headwater_store::Version;
use headwater_types::{Amount, ByteCount, Digest};

use log::Log;

fn key(sample: u32) -> EntryKey {
    let (sample, version) = (format!("n0{sample:07}.jpg").parse().unwrap(), Version::of_file(10, 1, 2));
    EntryKey::new(Kind::Encoded, &Digest::of(b"/srv/photos"), &sample, version, ByteCount::mebibytes(1))
}

fn entry(length: usize) -> Entry {
    Entry::Bytes((0..length).map(|at| (at * 7 + at / 256) as u8).collect())
}

/// All samples in an order without one.
fn shuffled(entries: u32) -> impl Iterator<Item = u32> {
    let step = (entries / 2..)
        .find(|step| (2..1000).all(|factor| !(step.is_multiple_of(factor) && entries.is_multiple_of(factor))))
        .unwrap();
    (0..entries).map(move |at| (u64::from(at) * u64::from(step) % u64::from(entries)) as u32)
}

/// What this thread spends on a core, in the system too: other programs do not count, and neither does waiting for the
/// disk, which none of this does.
fn timed(what: impl FnOnce()) -> Duration {
    let begun = spent();
    what();
    spent() - begun
}

fn spent() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

/// Bytes on disk of everything below a folder.
fn taken(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { taken(&path) } else { path.metadata().unwrap().blocks() * 512 }).sum()
}

fn cache(folder: &Path) -> Cache {
    let ssd =
        SsdSettings { folder: folder.to_owned(), limit: ByteCount::mebibytes(64 << 10), floor: Some(Amount::ZERO) };
    Cache::open(CacheSettings { memory: ByteCount::new(0), ssd: Some(ssd), policy: PolicyName::Lru }).unwrap()
}

fn report(what: &str, length: usize, entries: u32, times: [Duration; 5], disk: u64) {
    let each = times.map(|time| time.as_secs_f64() * 1e6 / f64::from(entries));
    let [write, read, evict, again, restart] = each;
    let overhead = disk as f64 / (length as f64 * f64::from(entries));
    println!(
        "{length:>7} B  {what}  write {write:7.1}  read {read:6.1}  evict {:7.1}  refill {:7.1}  \
         restart {restart:6.2} us each, disk {overhead:.2} x",
        evict * 2.0,
        again * 2.0,
    );
}

fn files(folder: &Path, length: usize, entries: u32) {
    let (directory, entry) = (Directory::open(folder, ByteCount::mebibytes(64 << 10)).unwrap(), entry(length));
    let write = timed(|| (0..entries).for_each(|sample| directory.put(&key(sample), &entry).unwrap()));
    let read = timed(|| shuffled(entries).for_each(|sample| assert!(directory.get(&key(sample)).unwrap().is_some())));
    let disk = taken(folder);
    let restart = timed(|| assert!(cache(folder).usage(Tier::Ssd, KindName::Encoded).entries == u64::from(entries)));
    let half = entries as usize / 2;
    let file = |sample: u32| folder.join(key(sample).name().to_string());
    let evict = timed(|| shuffled(entries).take(half).for_each(|sample| std::fs::remove_file(file(sample)).unwrap()));
    let again = timed(|| shuffled(entries).take(half).for_each(|sample| directory.put(&key(sample), &entry).unwrap()));
    report("file", length, entries, [write, read, evict, again, restart], disk);
}

fn segments(folder: &Path, length: usize, entries: u32) {
    let (mut log, entry) = (Log::open(folder), entry(length));
    let write = timed(|| (0..entries).for_each(|sample| log.put(&key(sample), &entry)));
    let read = timed(|| shuffled(entries).for_each(|sample| assert!(log.get(&key(sample)).is_some())));
    let disk = taken(folder);
    log.close();
    let restart = timed(|| log = Log::open(folder));
    assert_eq!(log.len(), entries as usize);
    let half = entries as usize / 2;
    let evict = timed(|| shuffled(entries).take(half).for_each(|sample| log.remove(&key(sample))));
    let again = timed(|| shuffled(entries).take(half).for_each(|sample| log.put(&key(sample), &entry)));
    report("log ", length, entries, [write, read, evict, again, restart], disk);
}

fn start(folder: &Path, entries: u32) {
    let entry = entry(784);
    let Entry::Bytes(payload) = &entry else { return };
    drop(Directory::open(folder, ByteCount::mebibytes(64 << 10)).unwrap());
    for sample in 0..entries {
        let file = folder.join(key(sample).name().to_string());
        if sample < 5000 {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        }
        std::fs::write(file, [Frame::seal(&key(sample), &entry).as_bytes(), payload].concat()).unwrap();
    }
    for run in 0..3 {
        let (begun, before) = (Instant::now(), spent());
        let opened = cache(folder);
        let known = opened.usage(Tier::Ssd, KindName::Encoded).entries;
        let (time, spent) = (begun.elapsed().as_secs_f64(), (spent() - before).as_secs_f64());
        println!("start {run}: {known} entries in {time:.2} s, of which {spent:.2} on a core");
        let hit = shuffled(entries).take(10_000).filter(|sample| opened.get(&key(*sample)).is_some()).count();
        println!("         {hit} of {} hit", entries.min(10_000));
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| "file-or-log".to_owned());
    let folder = Path::new(&folder);
    if let Some(entries) = arguments.next() {
        return start(&folder.join("start"), entries.parse().unwrap());
    }
    for (length, entries) in [(784, 20_011), (22_000, 10_007), (110_000, 4_001)] {
        for run in ["a", "b"] {
            files(&folder.join(format!("files-{length}-{run}")), length, entries);
            segments(&folder.join(format!("log-{length}-{run}")), length, entries);
        }
    }
}
