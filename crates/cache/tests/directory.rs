//! A folder of entries gives the bytes that were put, or none, and stays within its limit.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use std::collections::BTreeMap;
use std::io::IoSliceMut;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use headwater_cache::{
    Directory, DirectoryCounts, DirectoryError, Entry, EntryKey, GlimpseBuffer, Kind, Living, NotKept,
};
use headwater_store::Version;
use headwater_types::{ByteCount, Digest, Partition, WriteFault};
use proptest::prelude::*;
use rustix::io::{Errno, ReadWriteFlags, preadv2};
use tempfile::TempDir;

const ROOMY: ByteCount = ByteCount::mebibytes(64);

fn key(sample: u32) -> EntryKey {
    key_of_most(sample, 10_000)
}

fn key_of_most(sample: u32, most: u64) -> EntryKey {
    let (sample, version) = (format!("cat/{sample}.jpg").parse().unwrap(), Version::of_file(10, 1, 2));
    EntryKey::new(Kind::Indexed, &Digest::of(b"/srv/photos"), &sample, version, ByteCount::new(most))
}

fn entry(length: usize) -> Entry {
    Entry::Bytes((0..length).map(|at| (at * 7 + at / 256) as u8).collect())
}

fn open(folder: &TempDir, limit: ByteCount) -> Directory {
    Directory::open(&folder.path().join("index"), limit).unwrap()
}

/// Why an entry of so many bytes is not put; `None` where it is.
fn why_not(directory: &Directory, sample: u32, length: usize) -> Option<NotKept> {
    directory.put(&key(sample), &entry(length)).err().map(|error| error.not_kept())
}

/// Entries and unfinished files, wherever they lie in the folder.
fn files(directory: &Directory) -> Vec<PathBuf> {
    let shards = std::fs::read_dir(directory.path()).unwrap().map(|shard| shard.unwrap().path());
    let files = shards.filter(|shard| shard.is_dir()).flat_map(|shard| std::fs::read_dir(shard).unwrap());
    files.map(|file| file.unwrap().path()).collect()
}

fn file_of(directory: &Directory, key: &EntryKey) -> PathBuf {
    directory.path().join(key.name().to_string())
}

/// Bytes on disk, counted anew.
fn recount(directory: &Directory) -> u64 {
    let swept = directory.sweep(None, |_| true).unwrap();
    assert_eq!(directory.usage().get(), swept.bytes);
    swept.bytes
}

/// Whether reads that must not wait are refused here: by tmpfs, for one, in older kernels.
fn cannot_tell(file: &Path) -> bool {
    let (file, mut byte) = (std::fs::File::open(file).unwrap(), [0]);
    let read = preadv2(file, &mut [IoSliceMut::new(&mut byte)], 0, ReadWriteFlags::NOWAIT);
    read == Err(Errno::OPNOTSUPP)
}

/// What the files take, by another way than the folder's own.
fn blocks(directory: &Directory) -> u64 {
    files(directory).iter().map(|file| std::fs::metadata(file).unwrap().size().div_ceil(4096) * 4096).sum()
}

#[test]
fn what_was_put_is_there_for_the_next_process() {
    let folder = TempDir::new().unwrap();
    let directory = open(&folder, ROOMY);
    assert_eq!(directory.get(&key(1)).unwrap(), None);
    let refused = Entry::Refused(Bytes::from_static(b"not-jpeg"));
    directory.put(&key(1), &entry(5000)).unwrap();
    directory.put(&key(2), &refused).unwrap();
    let again = open(&folder, ROOMY);
    assert_eq!(again.get(&key(1)).unwrap(), Some(entry(5000)));
    assert_eq!(again.get(&key(2)).unwrap(), Some(refused));
    assert_eq!(again.counts(), DirectoryCounts { hits: 2, ..DirectoryCounts::default() });
    assert_eq!(directory.counts(), DirectoryCounts { misses: 1, kept: 2, ..DirectoryCounts::default() });
}

#[test]
fn entries_of_every_length_come_back_and_none_that_is_longer_than_the_caller_can_hold() {
    let folder = TempDir::new().unwrap();
    let directory = open(&folder, ROOMY);
    // Around what is read at first, 1 MiB, and around the most.
    let mebibyte = 1 << 20;
    for (sample, (most, length)) in [
        (0, 0),
        (1, 1),
        (1000, 0),
        (1000, 999),
        (1000, 1000),
        (mebibyte, mebibyte),
        (3 * mebibyte, mebibyte - 1),
        (3 * mebibyte, mebibyte),
        (3 * mebibyte, mebibyte + 1),
        (3 * mebibyte, mebibyte + 2),
        (3 * mebibyte, 3 * mebibyte),
    ]
    .into_iter()
    .enumerate()
    {
        let key = |most| key_of_most(sample as u32, most);
        directory.put(&key(most), &entry(length as usize)).unwrap();
        assert_eq!(directory.get(&key(most)).unwrap(), Some(entry(length as usize)), "{length} of {most}");
        let too_long = directory.put(&key(most), &entry(most as usize + 1)).unwrap_err();
        assert!(matches!(too_long, DirectoryError::TooLong { .. }), "{too_long}");
        if let Some(less) = length.checked_sub(1) {
            assert_eq!(directory.get(&key(less)).unwrap(), None, "{length} of {less}");
        }
    }
}

#[test]
fn a_broken_frame_is_a_miss_and_made_again() {
    let folder = TempDir::new().unwrap();
    let directory = open(&folder, ROOMY);
    let mut broken = 0;
    for damage in [
        |good: &mut Vec<u8>| good.truncate(0),
        |good: &mut Vec<u8>| good.truncate(63),
        |good: &mut Vec<u8>| good.truncate(2000),
        |good: &mut Vec<u8>| good.push(0),
        |good: &mut Vec<u8>| good.resize(100_000, 0),
        |good: &mut Vec<u8>| good[70] ^= 1,
        |good: &mut Vec<u8>| good[40] ^= 1,
        |good: &mut Vec<u8>| good[20] = 0xff,
        |good: &mut Vec<u8>| good.fill(0),
        |good: &mut Vec<u8>| *good = b"a photo".to_vec(),
    ] {
        directory.put(&key(1), &entry(3000)).unwrap();
        let file = file_of(&directory, &key(1));
        let mut bytes = std::fs::read(&file).unwrap();
        damage(&mut bytes);
        std::fs::write(&file, bytes).unwrap();
        recount(&directory);
        assert_eq!(directory.get(&key(1)).unwrap(), None);
        assert!(!file.exists());
        assert_eq!(directory.usage().get(), 0);
        broken += 1;
        assert_eq!(directory.counts().corrupt, broken);
    }
    directory.put(&key(1), &entry(3000)).unwrap();
    assert_eq!(directory.get(&key(1)).unwrap(), Some(entry(3000)));
}

#[test]
fn a_glimpse_gives_the_parts_that_were_put_or_nothing() {
    let folder = TempDir::new().unwrap();
    let directory = open(&folder, ROOMY);
    let mut buffer = GlimpseBuffer::default();
    let lengths = [0, 1, 16_383, 16_384, 16_385, 32_640, 32_768, 100_000, 3_000_000];
    for (sample, length) in (0..).zip(lengths) {
        let key = key_of_most(sample, 4_000_000);
        assert!(directory.glimpse(&key, &mut buffer).is_none());
        let Entry::Bytes(payload) = entry(length) else { unreachable!() };
        directory.put(&key, &Entry::Bytes(payload.clone())).unwrap();
        // Whatever an earlier one has left there.
        assert!(directory.get(&key).unwrap().is_some());
        let Some(mut glimpse) = directory.glimpse(&key, &mut buffer) else {
            // Never where the file system cannot tell what it has in memory.
            assert!(cannot_tell(&file_of(&directory, &key)), "{length}");
            continue;
        };
        assert_eq!((glimpse.length(), glimpse.start()), (length, &payload[..glimpse.start().len()]));
        assert!(glimpse.start().len() >= length.min(15_000));
        for range in [0..length, length / 2..length, length / 3..length / 2, length..length] {
            let (start, part) = glimpse.with(range.clone()).unwrap();
            assert_eq!((start, part), (&payload[..start.len()], &payload[range]));
        }
        assert!(glimpse.with(0..length + 1).is_none());
    }
    assert!(directory.glimpse(&key_of_most(7, 99_999), &mut buffer).is_none(), "longer than the caller can hold");

    let path = file_of(&directory, &key_of_most(7, 4_000_000));
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[60_000] ^= 4;
    std::fs::write(&path, &bytes).unwrap();
    if let Some(mut glimpse) = directory.glimpse(&key_of_most(7, 4_000_000), &mut buffer) {
        assert!(glimpse.with(80_000..100_000).is_some());
        assert!(glimpse.with(59_000..60_000).is_none());
    }
    bytes[20] ^= 4;
    std::fs::write(&path, &bytes).unwrap();
    assert!(directory.glimpse(&key_of_most(7, 4_000_000), &mut buffer).is_none());
    assert_eq!(directory.counts().corrupt, 0, "a glimpse removes nothing");
}

#[test]
fn another_entrys_file_or_a_link_is_never_taken_for_it() {
    let folder = TempDir::new().unwrap();
    let directory = open(&folder, ROOMY);
    directory.put(&key(1), &entry(100)).unwrap();
    directory.put(&key(2), &entry(200)).unwrap();
    std::fs::copy(file_of(&directory, &key(1)), file_of(&directory, &key(2))).unwrap();
    assert_eq!(directory.get(&key(2)).unwrap(), None);
    directory.put(&key(2), &entry(200)).unwrap();
    std::fs::rename(file_of(&directory, &key(2)), folder.path().join("moved")).unwrap();
    std::os::unix::fs::symlink(folder.path().join("moved"), file_of(&directory, &key(2))).unwrap();
    assert_eq!(directory.get(&key(2)).unwrap(), None);
    assert_eq!(directory.get(&key(1)).unwrap(), Some(entry(100)));
    assert_eq!(directory.counts().corrupt, 2);
}

#[test]
fn the_limit_holds_and_what_is_there_is_still_found() {
    let folder = TempDir::new().unwrap();
    let directory = open(&folder, ByteCount::new(5 * 4096));
    let put: Vec<_> = (0..8).map(|sample| why_not(&directory, sample, 4000)).collect();
    assert_eq!(put, [[None; 5].as_slice(), &[Some(NotKept::Limit); 3]].concat());
    assert_eq!((directory.usage().get(), blocks(&directory)), (5 * 4096, 5 * 4096));
    assert_eq!(directory.room(ByteCount::new(1)), Err(NotKept::Limit));
    assert_eq!(directory.get(&key(4)).unwrap(), Some(entry(4000)));
    assert_eq!(directory.counts().not_kept(NotKept::Limit), 4);
    assert_eq!(directory.counts().not_kept(NotKept::Disk(WriteFault::DiskFull)), 0);
    let wider = open(&folder, ByteCount::new(6 * 4096));
    assert!(wider.room(ByteCount::new(4024)).is_ok() && wider.room(ByteCount::new(4025)).is_err());
    assert_eq!(why_not(&wider, 7, 4000), None);
}

#[test]
fn a_replaced_entry_is_counted_once() {
    let folder = TempDir::new().unwrap();
    let directory = open(&folder, ROOMY);
    for length in [3000, 9000, 100] {
        directory.put(&key(1), &entry(length)).unwrap();
        assert_eq!(directory.usage().get(), blocks(&directory));
        assert_eq!(directory.get(&key(1)).unwrap(), Some(entry(length)));
    }
}

#[test]
fn files_abandoned_while_they_were_written_are_swept_and_those_being_written_are_not() {
    let folder = TempDir::new().unwrap();
    let directory = open(&folder, ROOMY);
    directory.put(&key(1), &entry(3000)).unwrap();
    let shard = file_of(&directory, &key(1)).parent().unwrap().to_owned();
    std::fs::write(shard.join("_dead"), [0; 5000]).unwrap();
    std::fs::write(shard.join("_alive"), [0; 5000]).unwrap();
    let writer = std::fs::File::open(shard.join("_alive")).unwrap();
    writer.lock().unwrap();
    assert_eq!(recount(&directory), 4096 + 8192);
    assert!(!shard.join("_dead").exists() && shard.join("_alive").exists());
    drop(writer);
    assert_eq!(recount(&directory), 4096);
}

#[test]
fn a_lost_or_torn_ledger_is_counted_anew_before_anything_is_put() {
    let folder = TempDir::new().unwrap();
    let directory = open(&folder, ROOMY);
    (0..20).for_each(|sample| directory.put(&key(sample), &entry(3000)).unwrap());
    let ledger = directory.path().join("usage");
    for torn in [None, Some(&b""[..]), Some(b"HWUSAGE\x01 torn")] {
        match torn {
            None => std::fs::remove_file(&ledger).unwrap(),
            Some(torn) => std::fs::write(&ledger, torn).unwrap(),
        }
        let again = open(&folder, ByteCount::new(20 * 4096));
        assert!(!again.is_counted() && !again.is_empty());
        assert_eq!(
            (why_not(&again, 99, 10), again.room(ByteCount::new(10))),
            (Some(NotKept::Busy), Err(NotKept::Busy))
        );
        assert_eq!(again.get(&key(7)).unwrap(), Some(entry(3000)), "what is there is found meanwhile");
        // Whoever stops in between leaves it to others.
        again.sweep(None, |done| done < 100).unwrap();
        assert_eq!(why_not(&again, 99, 10), Some(NotKept::Busy));
        assert_eq!(recount(&open(&folder, ROOMY)), 20 * 4096);
        assert_eq!((why_not(&again, 99, 10), again.is_counted()), (Some(NotKept::Limit), true));
    }
}

#[test]
fn nobody_waits_for_another_who_counts_or_was_stopped() {
    let folder = TempDir::new().unwrap();
    let directory = open(&folder, ROOMY);
    directory.put(&key(1), &entry(3000)).unwrap();
    let holder = std::fs::File::open(directory.path().join("usage")).unwrap();
    holder.lock().unwrap();
    let again = open(&folder, ROOMY);
    assert_eq!(again.get(&key(1)).unwrap(), Some(entry(3000)));
    assert_eq!((why_not(&again, 2, 10), again.room(ByteCount::new(10))), (Some(NotKept::Busy), Err(NotKept::Busy)));
    holder.unlock().unwrap();
    assert_eq!((again.room(ByteCount::new(10)), why_not(&again, 2, 10)), (Ok(()), None));
}

#[test]
fn what_is_no_file_in_an_entrys_place_is_a_miss_and_holds_nobody_up() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    let folder = TempDir::new().unwrap();
    let directory = open(&folder, ROOMY);
    let file = file_of(&directory, &key(1));
    for kind in ["pipe", "socket", "folder", "link", "link to a pipe"] {
        directory.put(&key(1), &entry(3000)).unwrap();
        std::fs::remove_file(&file).unwrap();
        match kind {
            "pipe" => mknodat(CWD, &file, FileType::Fifo, Mode::RWXU, 0).unwrap(),
            "socket" => mknodat(CWD, &file, FileType::Socket, Mode::RWXU, 0).unwrap(),
            "folder" => std::fs::create_dir(&file).unwrap(),
            "link" => std::os::unix::fs::symlink("/dev/zero", &file).unwrap(),
            _ => {
                let pipe = folder.path().join("pipe");
                mknodat(CWD, &pipe, FileType::Fifo, Mode::RWXU, 0).unwrap();
                std::os::unix::fs::symlink(&pipe, &file).unwrap();
            }
        }
        assert!(directory.glimpse(&key(1), &mut GlimpseBuffer::default()).is_none(), "{kind}");
        assert_eq!(directory.get(&key(1)).unwrap(), None, "{kind}");
        directory.put(&key(1), &entry(3000)).unwrap();
        assert_eq!(directory.get(&key(1)).unwrap(), Some(entry(3000)), "{kind}");
    }
    // One that is being written, for all that its name says.
    let shard = file.parent().unwrap();
    mknodat(CWD, shard.join("_pipe"), FileType::Fifo, Mode::RWXU, 0).unwrap();
    assert_eq!(recount(&directory), 4096);
    assert!(!shard.join("_pipe").exists());
    // A folder with something in it is somebody's.
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    std::fs::write(file.join("thesis.txt"), b"all of it").unwrap();
    assert!(directory.get(&key(1)).is_err() && directory.put(&key(1), &entry(3000)).is_err());
    assert!(directory.sweep(None, |_| true).is_ok() && file.join("thesis.txt").exists());
}

#[test]
fn a_folder_that_was_deleted_or_exchanged_is_made_anew_once_something_is_put() {
    let folder = TempDir::new().unwrap();
    let directory = open(&folder, ROOMY);
    let path = directory.path().to_owned();
    directory.put(&key(1), &entry(3000)).unwrap();
    let empty = |path: &Path| {
        std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).for_each(|path| match path.is_dir() {
            true => std::fs::remove_dir_all(path).unwrap(),
            false => std::fs::remove_file(path).unwrap(),
        });
    };
    let cases: [(&str, &dyn Fn()); 4] = [
        ("deleted", &|| std::fs::remove_dir_all(&path).unwrap()),
        ("emptied", &|| empty(&path)),
        ("moved", &|| std::fs::rename(&path, folder.path().join("moved")).unwrap()),
        ("exchanged", &|| {
            std::fs::remove_dir_all(&path).unwrap();
            open(&folder, ROOMY).put(&key(2), &entry(100)).unwrap();
        }),
    ];
    for (renewed, (what, happen)) in (1..).zip(cases) {
        happen();
        assert!(directory.room(ByteCount::new(3000)).is_ok(), "{what}");
        directory.put(&key(1), &entry(3000)).unwrap();
        assert_eq!(directory.get(&key(1)).unwrap(), Some(entry(3000)), "{what}");
        assert_eq!(open(&folder, ROOMY).get(&key(1)).unwrap(), Some(entry(3000)), "{what}");
        assert_eq!((directory.usage().get(), directory.counts().renewed), (blocks(&directory), renewed), "{what}");
    }
    // Without a word from `room` before, and where it cannot be made anew.
    std::fs::remove_dir_all(&path).unwrap();
    std::fs::write(&path, b"in the way").unwrap();
    assert_eq!(why_not(&directory, 1, 10), Some(NotKept::Disk(WriteFault::Other)));
    assert_eq!(directory.room(ByteCount::new(10)), Err(NotKept::Disk(WriteFault::Other)));
    std::fs::remove_file(&path).unwrap();
    assert_eq!(why_not(&directory, 1, 10), None);
}

#[test]
fn the_dead_are_dropped_and_what_others_keep_is_not() {
    let folder = TempDir::new().unwrap();
    let directory = open(&folder, ROOMY);
    (0..40).for_each(|sample| directory.put(&key(sample), &entry(3000)).unwrap());
    let before = SystemTime::now() + Duration::from_secs(60);
    let part = Partition::new(1, 2).unwrap();
    let of_the_part = |sample: &u32| part.contains(&format!("cat/{sample}.jpg"));
    let here = || vec![Digest::of(b"/srv/photos")];
    let dead: Vec<u32> = (10..40).filter(of_the_part).collect();
    assert!(dead.len() > 5 && dead.len() < 25);
    // Listed before they were put: they are none of its business.
    let past = Living::new(here(), part, SystemTime::UNIX_EPOCH, (0..10).map(key));
    assert_eq!(directory.sweep(Some(&past), |_| true).unwrap().dropped, 0);
    let elsewhere = Living::new(vec![Digest::of(b"/srv/others")], part, before, std::iter::empty());
    let swept = directory.sweep(Some(&elsewhere), |_| true).unwrap();
    assert_eq!((swept.dropped, swept.entries, swept.of_others), (0, 40, 40));

    let living = Living::new(here(), part, before, (0..10).map(key));
    let swept = directory.sweep(Some(&living), |_| true).unwrap();
    assert_eq!((swept.dropped, swept.entries), (dead.len() as u64, 40 - dead.len() as u64));
    assert_eq!((swept.bytes, swept.bytes), (blocks(&directory), directory.usage().get()));
    for sample in 0..40 {
        assert_eq!(directory.get(&key(sample)).unwrap().is_none(), dead.contains(&sample), "{sample}");
    }
}

#[test]
fn a_folder_of_something_else_is_left_alone() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("holiday.jpg"), b"photo").unwrap();
    let error = Directory::open(folder.path(), ROOMY).unwrap_err();
    assert!(matches!(error, DirectoryError::NotOurs { .. }), "{error}");
    assert!(error.to_string().contains("--cache-dir"), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let not_a_folder = Directory::open(&folder.path().join("holiday.jpg"), ROOMY).unwrap_err();
    assert!(not_a_folder.to_string().contains("holiday.jpg"), "{not_a_folder}");
}

#[test]
fn a_folder_that_cannot_be_written_says_why_and_is_not_asked_each_time() {
    let folder = TempDir::new().unwrap();
    let directory = open(&folder, ROOMY);
    let file = file_of(&directory, &key(1));
    // A file where a folder should be, which no rights of root's overcome.
    std::fs::write(file.parent().unwrap(), b"in the way").unwrap();
    let why = NotKept::Disk(WriteFault::Other);
    assert_eq!(why_not(&directory, 1, 100), Some(why));
    assert_eq!(directory.room(ByteCount::new(100)), Err(why));
    assert_eq!(directory.counts().not_kept(why), 2);
    std::fs::remove_file(file.parent().unwrap()).unwrap();
    assert_eq!(why_not(&directory, 1, 100), None);
    assert_eq!(directory.room(ByteCount::new(100)), Ok(()));
}

#[test]
fn only_this_user_may_enter_a_new_folder() {
    let folder = TempDir::new().unwrap();
    let directory = open(&folder, ROOMY);
    assert_eq!(std::fs::metadata(directory.path()).unwrap().mode() & 0o777, 0o700);
}

#[test]
fn processes_and_threads_that_share_a_folder_never_pass_the_limit() {
    let folder = TempDir::new().unwrap();
    let limit = 40 * 4096;
    // Two opened folders are two locks, as two processes have them.
    let opened = [open(&folder, ByteCount::new(limit)), open(&folder, ByteCount::new(limit))];
    std::thread::scope(|scope| {
        for (at, directory) in opened.iter().chain(&opened).enumerate() {
            scope.spawn(move || {
                for sample in 0..60 {
                    // Half of the keys are everybody's.
                    let sample = if sample % 2 == 0 { sample } else { 1000 * at as u32 + sample };
                    assert!([None, Some(NotKept::Limit)].contains(&why_not(directory, sample, 3000)));
                    assert!(directory.usage().get() <= limit && blocks_now(directory.path()) <= limit);
                    if let Some(found) = directory.get(&key(sample)).unwrap() {
                        assert_eq!(found, entry(3000));
                    }
                }
            });
        }
        scope.spawn(|| (0..5).for_each(|_| assert!(opened[0].sweep(None, |_| true).is_ok())));
    });
    let usage = opened[1].usage().get();
    assert_eq!((usage, usage), (blocks(&opened[0]), recount(&opened[0])));
    assert!(usage > 30 * 4096, "four threads kept no more than {usage}");
    assert_eq!(opened.iter().map(|directory| directory.counts().corrupt).sum::<u64>(), 0);
}

/// As [`blocks`], while files come and go: one that gets its name just now is seen under two, and is one.
fn blocks_now(path: &Path) -> u64 {
    let listed =
        |path: &Path| std::fs::read_dir(path).map(|entries| entries.flatten().map(|entry| entry.path()).collect());
    let shards: Vec<PathBuf> = listed(path).unwrap_or_default();
    let files = shards.iter().flat_map(|shard| listed(shard).unwrap_or_else(|_| Vec::new()));
    let found = files.filter_map(|file| std::fs::metadata(file).ok());
    let by_inode: BTreeMap<u64, u64> = found.map(|data| (data.ino(), data.size())).collect();
    by_inode.values().map(|size| size.div_ceil(4096) * 4096).sum()
}

#[derive(Clone, Debug)]
enum Step {
    Put(u32, usize),
    Get(u32),
    Break(u32),
    Reopen,
    Recount,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..6_u32, 0..9000_usize).prop_map(|(sample, length)| Step::Put(sample, length)),
        4 => (0..6_u32).prop_map(Step::Get),
        1 => (0..6_u32).prop_map(Step::Break),
        1 => Just(Step::Reopen),
        1 => Just(Step::Recount),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn it_is_a_map_that_may_forget_what_broke_or_did_not_fit(steps in prop::collection::vec(step(), 1..60)) {
        let folder = TempDir::new().unwrap();
        let limit = ByteCount::new(8 * 4096);
        let mut directory = open(&folder, limit);
        let mut model = BTreeMap::new();
        for step in steps {
            match step {
                Step::Put(sample, length) => if directory.put(&key(sample), &entry(length)).is_ok() {
                    model.insert(sample, length);
                },
                Step::Get(sample) => {
                    let expected = model.get(&sample).map(|length| entry(*length));
                    prop_assert_eq!(directory.get(&key(sample)).unwrap(), expected);
                }
                Step::Break(sample) => if let Ok(mut bytes) = std::fs::read(file_of(&directory, &key(sample))) {
                    let last = bytes.len() - 1;
                    bytes[last] = bytes[last].wrapping_add(1);
                    std::fs::write(file_of(&directory, &key(sample)), bytes).unwrap();
                    model.remove(&sample);
                },
                Step::Reopen => directory = open(&folder, limit),
                Step::Recount => assert!(directory.sweep(None, |_| true).is_ok()),
            }
            prop_assert_eq!(directory.usage().get(), blocks(&directory));
            prop_assert!(directory.usage() <= limit);
        }
    }
}
