//! What is found in the index, and what is made again.

use headwater_cache::{CacheSettings, PolicyName, SsdSettings};
use headwater_store::Version;
use headwater_types::{Amount, Digest, ImageLimits, WriteFault};
use tempfile::TempDir;

use super::*;
use crate::cached::SharedCache;

fn open(folder: &TempDir, dataset: &[u8]) -> PhotoIndex {
    let ssd =
        SsdSettings { folder: folder.path().join("cache"), limit: ByteCount::mebibytes(1), floor: Some(Amount::ZERO) };
    let settings = CacheSettings { memory: ByteCount::new(0), ssd: Some(ssd), policy: PolicyName::Static };
    let shared = SharedCache::open(settings, "indexed".parse().unwrap()).unwrap();
    PhotoIndex::new(&DatasetCache::new(&shared, Digest::of(dataset), true, ImageLimits::default())).unwrap()
}

fn key() -> SampleKey {
    "cat/1.jpg".parse().unwrap()
}

fn whole(stamp: i64) -> Extent {
    Extent::whole(key(), Version::of_file(10_000, stamp, 0))
}

fn photo() -> IndexedJpeg {
    let jpeg = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/image_decode/baseline.jpg"));
    IndexedJpeg::rewrite(&jpeg.unwrap(), &ImageLimits::default()).unwrap()
}

fn keep(index: &PhotoIndex, extent: &Extent, made: Result<&IndexedJpeg, Unindexable>) -> Kept {
    index.keep(&key(), extent, made, Worth::of_cost(1.0))
}

#[test]
fn a_photo_is_found_under_its_version_and_in_its_dataset_only() {
    let folder = TempDir::new().unwrap();
    let index = open(&folder, b"here");
    assert_eq!((index.find(&key(), &whole(1)), index.is_empty()), (Lookup::Absent, true));
    assert_eq!(keep(&index, &whole(1), Ok(&photo())), Kept::Done);
    assert_eq!(index.find(&key(), &whole(1)), Lookup::Found(photo()));
    assert_eq!(index.find(&key(), &whole(2)), Lookup::Absent);
    let counts = index.counts();
    assert_eq!((counts.hits, counts.misses, counts.kept), (1, 2, 1));
    drop(index);
    assert_eq!(open(&folder, b"there").find(&key(), &whole(1)), Lookup::Absent);
    assert!(!open(&folder, b"there").is_empty());
    assert_eq!(open(&folder, b"here").find(&key(), &whole(1)), Lookup::Found(photo()));
}

#[test]
fn a_reason_is_remembered_unless_it_costs_nothing_to_see_or_hangs_on_a_setting() {
    let folder = TempDir::new().unwrap();
    let index = open(&folder, b"here");
    for (stamp, reason) in (0..).zip(Unindexable::ALL) {
        assert_eq!(keep(&index, &whole(stamp), Err(reason)), Kept::Done);
        let forgotten = [Unindexable::NotJpeg, Unindexable::OverLimit, Unindexable::Memory].contains(&reason);
        let expected = if forgotten { Lookup::Absent } else { Lookup::Unindexable(reason) };
        assert_eq!(index.find(&key(), &whole(stamp)), expected, "{reason}");
        let counted = index.unindexable().find(|(each, _)| *each == reason).unwrap().1;
        assert_eq!(counted, if forgotten { 1 } else { 2 }, "{reason}");
    }
}

#[test]
fn what_this_program_does_not_know_is_absent_and_made_again() {
    let folder = TempDir::new().unwrap();
    let index = open(&folder, b"here");
    let unknown = Entry::Refused(b"of-another-version".as_slice().into());
    for entry in [unknown, Entry::Bytes(b"no photo".as_slice().into())] {
        let put = index.cache.cache().put(&index.entry(&key(), &whole(1)), &entry, &Worth::of_cost(1.0));
        assert_eq!(put, KeptIn::In(Tier::Ssd));
        assert_eq!(index.find(&key(), &whole(1)), Lookup::Absent);
    }
    assert_eq!(keep(&index, &whole(1), Ok(&photo())), Kept::Done);
    assert_eq!(index.find(&key(), &whole(1)), Lookup::Found(photo()));
}

#[test]
fn a_folder_that_fails_is_counted_and_costs_a_miss() {
    let folder = TempDir::new().unwrap();
    let index = open(&folder, b"here");
    // A file where the shard's folder should be.
    let shard = index.entry(&key(), &whole(1)).name().to_string()[..2].to_owned();
    std::fs::write(folder.path().join("cache").join(shard), b"in the way").unwrap();
    assert_eq!(index.find(&key(), &whole(1)), Lookup::Absent);
    let why = NotKept::Disk(WriteFault::Other);
    assert_eq!(keep(&index, &whole(1), Ok(&photo())), Kept::Not(why));
    assert_eq!(index.counts().not_kept(why), 1);
}

#[test]
fn a_row_is_kept_however_much_larger_it_is_than_it_was_thought() {
    let folder = TempDir::new().unwrap();
    let index = open(&folder, b"here");
    let row = Extent::row(key(), Version::of_file(1 << 30, 1, 0), 7, ByteCount::new(1));
    assert_eq!(keep(&index, &row, Ok(&photo())), Kept::Done);
    assert_eq!(index.find(&key(), &row), Lookup::Found(photo()));
}
