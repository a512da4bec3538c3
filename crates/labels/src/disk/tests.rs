//! Whatever a disk does, and whenever: what was acknowledged is there, what is there is right, and once the disk is
//! well again the index is too.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use tempfile::TempDir;

use super::{Disk, Failure};
use crate::database::{Database, Opener};
use crate::error::LabelError;
use crate::index::{LabelIndex, Opened};
use crate::place::Place;
use crate::row::{Outcome, Row};
use crate::run::RunId;
use crate::samples::{digest, labeller, labels, one};

const FAILURES: [Failure; 5] =
    [Failure::Says(28), Failure::Says(5), Failure::Tears, Failure::Forgets, Failure::Crashes];

/// What the calls of a script have been told.
#[derive(Default)]
struct Told {
    run: Option<RunId>,
    /// Rows that were acknowledged, by key.
    rows: BTreeMap<String, Place>,
    /// Rows of calls that failed: they are there or not.
    perhaps: BTreeSet<String>,
    /// Rows that were said to be dead.
    dead: BTreeSet<String>,
    is_job_kept: bool,
    next: u32,
}

/// The class that is right for a key.
fn class(key: &str) -> u32 {
    key.bytes().fold(7, |class, byte| class * 31 % 1000 + u32::from(byte))
}

// === impl Told ===

impl Told {
    /// Appends so many rows, of which the first supersedes a row that there was.
    fn append(&mut self, index: &LabelIndex, count: u32) -> Result<(), LabelError> {
        let run = self.run(index)?;
        let keys: Vec<_> = (self.next..self.next + count).map(|key| format!("photos/{key}.jpg")).collect();
        self.next += count;
        let superseded = self.rows.iter().next().map(|(key, place)| (key.clone(), *place));
        let scored: Vec<_> = keys.iter().map(|key| labels(class(key), 0.5)).collect();
        let rows: Vec<_> = keys.iter().zip(&scored).map(|(key, labels)| one(key, labels)).collect();
        let places: Vec<_> = superseded.iter().map(|(_, place)| *place).collect();
        match index.append(run, &rows, &places) {
            Ok(places) => {
                superseded.map(|(key, _)| self.rows.remove(&key).map(|_| self.dead.insert(key)));
                self.rows.extend(keys.into_iter().zip(places));
                Ok(())
            }
            Err(error) => {
                superseded.map(|(key, _)| self.rows.remove(&key).map(|_| self.perhaps.insert(key)));
                self.perhaps.extend(keys);
                Err(error)
            }
        }
    }

    fn job(&mut self, index: &LabelIndex) -> Result<(), LabelError> {
        index.put_job("job", b"half done")?;
        self.is_job_kept = true;
        Ok(())
    }

    fn run(&mut self, index: &LabelIndex) -> Result<RunId, LabelError> {
        let run = index.begin(&digest("photos"), &labeller("m"), 1)?.id;
        assert_eq!(*self.run.get_or_insert(run), run, "a run stays one");
        Ok(run)
    }

    /// Holds what the index shows against what was told.
    fn check(&mut self, index: &LabelIndex) -> Result<(), LabelError> {
        let run = self.run(index)?;
        let mut shown = BTreeMap::new();
        let read = index.each(run, &mut |place, row| {
            is_right(&row);
            shown.insert(row.key.to_owned(), place);
            ControlFlow::Continue(())
        })?;
        assert_eq!(read.broken_blocks, 0);
        for (key, place) in &self.rows {
            assert_eq!(shown.get(key), Some(place), "{key} was acknowledged");
        }
        let more = shown.keys().filter(|key| !self.rows.contains_key(*key) && !self.perhaps.contains(*key));
        assert_eq!(more.collect::<Vec<_>>(), Vec::<&String>::new(), "nobody appended these, or they are dead");
        let runs = index.runs(&digest("photos"))?;
        assert_eq!(runs[0].rows, read.rows);
        assert!(!self.is_job_kept || index.jobs()? == [("job".to_owned(), b"half done".to_vec())]);
        Ok(())
    }
}

fn is_right(row: &Row<'_>) {
    let expected = labels(class(row.key), 0.5);
    assert_eq!(row.outcome, Outcome::Labels(&expected), "{}", row.key);
    assert_eq!(row.version, [2; 16]);
}

fn open(folder: &Path, opener: Opener) -> Result<LabelIndex, LabelError> {
    let Opened { index, moved_aside } = LabelIndex::open_with(folder, opener)?;
    assert_eq!(moved_aside, None, "a disk that fails breaks nothing");
    Ok(index)
}

/// The calls of the script, one by one.
fn step(told: &mut Told, index: &LabelIndex, number: u32) -> Result<(), LabelError> {
    match number {
        0 => told.run(index).map(|_| ()),
        1 => told.append(index, 1),
        2 => told.append(index, 300),
        3 => told.job(index),
        4 => told.check(index),
        5 => told.append(index, 40),
        6 => told.append(index, 256),
        _ => told.check(index),
    }
}

const STEPS: u32 = 8;

/// Runs the script on a disk. A step that fails is done again, after the disk was started again if it had crashed.
fn run(disk: &Disk, folder: &Path, seed: u64) {
    let mut told = Told::default();
    let mut index = None;
    let (mut number, mut tries) = (0, 0);
    while number < STEPS {
        tries += 1;
        assert!(tries < 3 * STEPS, "the disk is well again, and step {number} does not work");
        let done = match index.take() {
            None => open(folder, disk.opener()).map(|opened| index = Some(opened)),
            Some(opened) => step(&mut told, index.insert(opened), number).map(|()| number += 1),
        };
        if let Err(error) = done {
            assert!(disk.has_failed() && error.is_retryable(), "step {number}: {error}");
            if disk.0.lock().unwrap().has_crashed {
                index = None;
                disk.start_again(seed);
            }
        }
    }
    drop(index);
    disk.start_again(seed);
    let index = open(folder, disk.opener()).unwrap();
    told.check(&index).unwrap();
}

/// Fails each of the script's calls once, in each way.
fn every_call(every: u64) -> u64 {
    let disk = Disk::default();
    run(&disk, TempDir::new().unwrap().path(), 0);
    let (calls, mut tries) = (disk.calls(), 0);
    for call in (0..calls).filter(|call| call % every == 0) {
        for (failure, offset) in FAILURES.into_iter().zip(0..) {
            let disk = Disk::default();
            disk.fail((call + offset) % calls, failure);
            run(&disk, TempDir::new().unwrap().path(), call * 977 + offset);
            tries += 1;
        }
    }
    tries
}

#[test]
fn a_call_to_the_disk_that_fails_costs_no_row_and_no_wrong_one() {
    every_call(3);
}

#[test]
#[ignore = "minutes: scripts/torture labels"]
fn every_call_to_the_disk_fails_once_and_costs_no_row_and_no_wrong_one() {
    println!("{} failures of single calls: no row was lost, and none was wrong", every_call(1));
}

/// Crashes while the index is opened after a crash, at each call of that, and what is left is opened again.
fn crash_in_recovery(every: u64) -> u64 {
    let mut tries = 0;
    for first in (every..400).step_by(7 * every as usize) {
        for second in (0..200).step_by(every as usize) {
            let folder = TempDir::new().unwrap();
            let disk = Disk::default();
            let mut told = Told::default();
            disk.fail(first, Failure::Crashes);
            if let Ok(index) = open(folder.path(), disk.opener()) {
                (0..STEPS).for_each(|number| drop(step(&mut told, &index, number)));
            }
            disk.start_again(first * second);
            disk.fail(second, Failure::Crashes);
            drop(open(folder.path(), disk.opener()));
            disk.start_again(first + second);
            let index = open(folder.path(), disk.opener()).unwrap();
            told.check(&index).unwrap();
            told.append(&index, 3).unwrap();
            told.check(&index).unwrap();
            tries += 1;
        }
    }
    tries
}

#[test]
fn a_crash_in_the_recovery_from_a_crash_costs_no_row() {
    crash_in_recovery(11);
}

#[test]
#[ignore = "minutes: scripts/torture labels"]
fn every_crash_in_the_recovery_from_a_crash_costs_no_row() {
    println!("{} crashes in the recovery from a crash: no row was lost", crash_in_recovery(1));
}

/// An index on the real disk with some rows, and the bytes of its file.
fn made(folder: &Path) -> (Told, Vec<u8>) {
    let index = open(folder, Database::of_disk()).unwrap();
    let mut told = Told::default();
    (0..STEPS).for_each(|number| step(&mut told, &index, number).unwrap());
    drop(index);
    (told, fs::read(folder.join("labels.redb")).unwrap())
}

/// Opens a file that was changed: it is whole, or moved aside and empty; and works from then on.
fn opens(bytes: &[u8]) -> bool {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("labels.redb"), bytes).unwrap();
    let Opened { index, moved_aside } = LabelIndex::open(folder.path()).unwrap();
    let run = index.begin(&digest("photos"), &labeller("m"), 1).unwrap().id;
    let mut shown = 0;
    index
        .each(run, &mut |_, row| {
            is_right(&row);
            shown += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
    if let Some(aside) = &moved_aside {
        assert_eq!(fs::read(&aside.to).unwrap().len(), bytes.len(), "{}", aside.why);
        assert_eq!(shown, 0);
    }
    let mut told = Told { next: 10_000, ..Told::default() };
    told.append(&index, 3).unwrap();
    drop(index);
    assert_eq!(LabelIndex::open(folder.path()).unwrap().moved_aside, None, "what was begun anew is whole");
    moved_aside.is_none()
}

/// Flips bits all over the file.
fn flip(flips: usize) -> (usize, usize) {
    let folder = TempDir::new().unwrap();
    let (_, bytes) = made(folder.path());
    let mut whole = 0;
    for flip in 0..flips {
        let mut flipped = bytes.clone();
        // The first page is looked at closely, then the rest in even steps.
        let at = if flip % 3 == 0 { flip * 7 % 320 } else { flip * bytes.len() / flips };
        flipped[at] ^= 1 << (flip % 8);
        whole += usize::from(opens(&flipped));
    }
    (flips, whole)
}

#[test]
fn flipped_bits_in_every_region_of_the_file_give_no_wrong_label() {
    let (flips, whole) = flip(40);
    assert!(whole < flips, "no flip was found");
}

#[test]
#[ignore = "minutes: scripts/torture labels"]
fn ten_thousand_flipped_bits_give_no_wrong_label() {
    let (flips, whole) = flip(10_000);
    println!("{flips} flipped bits: {whole} in what is of no account, the other indices were moved aside");
}

#[test]
fn a_file_that_is_cut_short_or_is_something_else_gives_no_wrong_label() {
    let folder = TempDir::new().unwrap();
    let (_, bytes) = made(folder.path());
    for end in [0, 1, 9, 64, 320, 4095, 4096, 4097, bytes.len() / 2, bytes.len() - 4096, bytes.len() - 1] {
        opens(&bytes[..end]);
    }
    opens(&[bytes.clone(), vec![7; 5000]].concat());
    assert!(!opens(b"not an index, but a text"));
    assert!(!opens(&vec![0; 20_000]));
    let mut torn = bytes.clone();
    torn[bytes.len() / 3..bytes.len() / 2].fill(0);
    opens(&torn);
}

/// Flips bits under an index that is open.
fn flip_under(times: usize) {
    let (mut whole, mut dropped, mut failed) = (0, 0, 0);
    for flip in 0..times {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("labels.redb");
        let (_, bytes) = made(folder.path());
        // Without memory for pages, so that every call reads the disk.
        let on_disk = Database::of_disk();
        let opener: Opener = Box::new(move |builder, path| on_disk(builder.set_cache_size(0), path));
        let index = LabelIndex::open_with(folder.path(), opener).unwrap().index;
        let mut flipped = bytes.clone();
        let place = |time| 4096 + (flip * 200 + time) * (bytes.len() - 4096) / (times * 200);
        (0..200).for_each(|time| flipped[place(time)] ^= 0x10);
        use std::os::unix::fs::FileExt as _;
        let under = fs::File::options().write(true).open(&file).unwrap();
        under.write_all_at(&flipped[4096..], 4096).unwrap();
        let run = index.begin(&digest("photos"), &labeller("m"), 1);
        let read = run.and_then(|run| {
            index.each(run.id, &mut |_, row| {
                is_right(&row);
                ControlFlow::Continue(())
            })
        });
        match read {
            Ok(read) if read.broken_blocks == 0 => whole += 1,
            Ok(_) => dropped += 1,
            Err(_) => failed += 1,
        }
        // However that ended, a few calls later there is an index.
        let mut told = Told { next: 10_000, ..Told::default() };
        let worked = (0..4).any(|_| {
            told.run = None;
            told.append(&index, 3).is_ok()
        });
        assert!(worked, "flip {flip}");
    }
    println!(
        "{times} times 200 bits flipped under an index: {whole} whole, {dropped} with blocks dropped, {failed} failed"
    );
    assert!(whole < times);
}

#[test]
fn bits_that_flip_under_an_open_index_give_no_wrong_label() {
    flip_under(16);
}

#[test]
#[ignore = "minutes: scripts/torture labels"]
fn thousands_of_bits_that_flip_under_an_open_index_give_no_wrong_label() {
    flip_under(400);
}
