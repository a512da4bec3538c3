//! A disk that fails at any call, once or for good; entries of the same name; bits that flip.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use headwater_policy::{PolicyName, Tier};
use headwater_store::Version;
use headwater_types::{Amount, ByteCount, Digest};
use rustix::io::Errno;
use tempfile::TempDir;

use super::*;
use crate::faults::Fault;
use crate::kind::Kind;
use crate::worth::Rejected;

const ENTRIES: u32 = 20;

fn key(sample: u32) -> EntryKey {
    let (sample, version) = (format!("cat/{sample}.jpg").parse().unwrap(), Version::of_file(10, 1, 2));
    EntryKey::new(Kind::Encoded, &Digest::of(b"/srv/photos"), &sample, version, ByteCount::mebibytes(1))
}

fn entry(sample: u32) -> Entry {
    Entry::Bytes((0..3000 + sample * 10).map(|at| (at * 7 + at / 256 + sample) as u8).collect())
}

fn settings(folder: &Path, memory: u64) -> CacheSettings {
    let ssd = SsdSettings { folder: folder.join("cache"), limit: ByteCount::new(16 * 4096), floor: Some(Amount::ZERO) };
    CacheSettings { memory: ByteCount::new(memory), ssd: Some(ssd), policy: PolicyName::Lru }
}

/// Two passes over all entries, as a trainer makes them: whatever the disk does, each comes, to the byte.
fn epochs(cache: &Cache) {
    for sample in (0..ENTRIES).chain(0..ENTRIES).chain([0; 3]) {
        let made = cache.get_or_make(&key(sample), &Worth::of_cost(0.1), || Ok::<_, ()>(entry(sample)));
        assert!(made == Ok(entry(sample)), "wrong bytes for {sample}");
    }
    cache.settle();
}

/// Opens a cache and passes over all entries, while calls of this fault fail. `None` where the cache says at once that
/// the folder cannot be used.
fn run(disk: &Disk, folder: &Path, memory: u64) -> Option<Cache> {
    let cache = Cache::open_on(disk.clone(), settings(folder, memory)).ok()?;
    epochs(&cache);
    assert!(cache.held().get() <= memory);
    Some(cache)
}

/// Fails one call after the other, all of them if there is time for that.
fn every_call(memory: u64, step: usize) {
    let calls = {
        let (disk, folder) = (Disk::default(), TempDir::new().unwrap());
        drop(run(&disk, folder.path(), memory).unwrap());
        disk.faults.calls()
    };
    assert!(calls > 500, "{calls}");
    let errors = [Errno::NOSPC, Errno::IO, Errno::ROFS];
    let kinds = errors.into_iter().flat_map(|error| [false, true].map(|is_lasting| (error, is_lasting)));
    for (nth, (error, is_lasting)) in
        (0..calls).flat_map(|nth| kinds.clone().map(move |kind| (nth, kind))).step_by(step)
    {
        let (disk, folder) = (Disk::default(), TempDir::new().unwrap());
        disk.faults.begin(Some(Fault { nth, is_lasting, error }));
        let cache = run(&disk, folder.path(), memory);
        disk.faults.begin(None);
        // The disk works again: so does the cache, without a new start.
        if let Some(cache) = cache {
            (0..3).for_each(|_| epochs(&cache));
            cache.sweep(None, |_| true).unwrap();
            epochs(&cache);
            let found = (0..ENTRIES).filter(|sample| cache.get(&key(*sample)).is_some()).count();
            assert!(found >= 14, "{found} after {error} at call {nth}, lasting: {is_lasting}");
        }
        let again = run(&Disk::default(), folder.path(), memory);
        assert!(again.is_some(), "after {error} at call {nth}, lasting: {is_lasting}");
    }
}

#[test]
fn a_disk_that_fails_at_any_call_once_or_for_good_costs_hits_and_nothing_else() {
    // Coprime to the six kinds, so that each is tried; all in `scripts/torture cache`.
    every_call(0, 397);
    every_call(20_000, 523);
}

#[test]
#[ignore = "minutes: scripts/torture cache"]
fn a_disk_that_fails_at_every_call_costs_hits_and_nothing_else() {
    every_call(0, 1);
    every_call(20_000, 1);
}

#[test]
fn a_transient_error_of_reading_is_a_miss_and_no_reason_to_remove_anything() {
    let (disk, folder) = (Disk::default(), TempDir::new().unwrap());
    let cache = Cache::open_on(disk.clone(), settings(folder.path(), 0)).unwrap();
    cache.put(&key(1), &entry(1), &Worth::of_cost(0.1));
    for nth in 0..4 {
        disk.faults.begin(Some(Fault { nth, is_lasting: false, error: Errno::IO }));
        let _ = cache.get(&key(1));
        disk.faults.begin(None);
        assert_eq!(cache.get(&key(1)), Some((entry(1), Tier::Ssd)), "call {nth}");
    }
    assert!(cache.counts().total(Outcome::Unreadable) > 1);
    assert_eq!(cache.counts().total(Outcome::Corrupt), 0);
}

#[test]
fn a_disk_that_does_not_work_at_the_start_is_used_once_it_does() {
    for error in [Errno::NOSPC, Errno::ROFS, Errno::IO] {
        let (disk, folder) = (Disk::default(), TempDir::new().unwrap());
        disk.faults.begin(Some(Fault { nth: 0, is_lasting: true, error }));
        let cache = Cache::open_on(disk.clone(), settings(folder.path(), 0)).unwrap();
        epochs(&cache);
        let put = cache.put(&key(1), &entry(1), &Worth::of_cost(0.1));
        assert!(matches!(put, Kept::Not(Rejected::NotKept(NotKept::Disk(_)))), "{put:?}");
        disk.faults.begin(None);
        (0..4).for_each(|_| epochs(&cache));
        assert!(cache.counts().total(Outcome::SsdHit) > 0);
    }
    // What a person has to mend is said at once.
    let folder = TempDir::new().unwrap();
    std::fs::create_dir(folder.path().join("cache")).unwrap();
    std::fs::write(folder.path().join("cache/thesis.txt"), b"all of it").unwrap();
    let error = Cache::open(settings(folder.path(), 0)).unwrap_err();
    assert!(matches!(error, CacheError::Directory(DirectoryError::NotOurs { .. })), "{error}");
}

/// foyer: a wrong entry where two keys have the same hash.
#[test]
fn another_entry_of_the_same_name_is_never_taken_for_it() {
    let folder = TempDir::new().unwrap();
    for memory in [0, 20_000] {
        let cache = Cache::open(settings(folder.path(), memory)).unwrap();
        let (one, other) = (key(1), key(1).namesake());
        cache.put(&one, &entry(1), &Worth::of_cost(0.1));
        assert_eq!((cache.get_in_memory(&other), cache.get(&other)), (None, None));
        cache.put(&other, &entry(2), &Worth::of_cost(0.1));
        assert_eq!(cache.get(&one), None);
        cache.put(&other, &entry(2), &Worth::of_cost(0.1));
        cache.close(Duration::from_secs(60));
        assert_eq!((cache.get(&other).map(|found| found.0), cache.get(&one)), (Some(entry(2)), None));
    }
}

/// Damages an entry's file in another way for each number, puts it anew, and counts what was found.
fn damage(times: u32, how: impl Fn(u32, &mut Vec<u8>)) {
    let folder = TempDir::new().unwrap();
    let cache = Cache::open(settings(folder.path(), 0)).unwrap();
    for time in 0..times {
        let sample = time % 4;
        let make = || Ok::<_, ()>(entry(sample));
        assert_eq!(cache.get_or_make(&key(sample), &Worth::of_cost(0.1), make), Ok(entry(sample)));
        let file = folder.path().join("cache").join(key(sample).name().to_string());
        let mut bytes = std::fs::read(&file).unwrap();
        how(time, &mut bytes);
        std::fs::write(&file, bytes).unwrap();
        assert_eq!(cache.get(&key(sample)), None, "damage {time}");
        assert!(!file.exists());
    }
    assert_eq!(cache.counts().total(Outcome::Corrupt), u64::from(times));
    // Each was made again: at first, and after each damage but the last four.
    assert_eq!(cache.counts().total(Outcome::Origin), u64::from(times));
}

fn flip(time: u32, bytes: &mut [u8]) {
    // Every 7th byte in turn, then every 7th of the rest, and each bit in turn.
    let at = (time as usize * 7 + time as usize / 400) % bytes.len();
    bytes[at] ^= 1 << (time % 8);
}

fn tear(time: u32, bytes: &mut Vec<u8>) {
    let at = (time as usize * 31 + 1) % bytes.len();
    match time % 3 {
        0 => bytes.truncate(at),
        1 => {
            let first = !bytes[at];
            bytes[at..].fill(0);
            bytes[at] = first;
        }
        _ => bytes.extend_from_slice(&Bytes::from(vec![0; at])),
    }
}

#[test]
fn flipped_bits_and_torn_frames_are_all_found_counted_and_made_again() {
    damage(500, |time, bytes| flip(time, bytes));
    damage(100, tear);
}

#[test]
#[ignore = "a minute: scripts/torture cache"]
fn ten_thousand_flipped_bits_and_a_thousand_torn_frames_are_all_found_counted_and_made_again() {
    damage(10_000, |time, bytes| flip(time, bytes));
    damage(1000, tear);
}
