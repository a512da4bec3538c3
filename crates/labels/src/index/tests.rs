//! The calls of an index, against what a plain list would say.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use headwater_types::{ClassId, FailureKind};
use proptest::prelude::*;
use tempfile::TempDir;

use super::LabelIndex;
use crate::error::LabelError;
use crate::place::Place;
use crate::row::{Outcome, Row, RowFault, Scored};
use crate::run::{Run, RunId};
use crate::samples::{digest, labeller, labels, one};
use crate::tables::{BLOCKS, TAILS};

fn open(folder: &TempDir) -> LabelIndex {
    let opened = LabelIndex::open(folder.path()).unwrap();
    assert_eq!(opened.moved_aside, None);
    opened.index
}

fn begun(index: &LabelIndex) -> RunId {
    index.begin(&digest("photos"), &labeller("m"), 100).unwrap().id
}

/// What a run shows: key and best class by place.
fn shown(index: &LabelIndex, run: RunId) -> Vec<(Place, String, u32)> {
    let mut shown = Vec::new();
    let read = index
        .each(run, &mut |place, row| {
            let Outcome::Labels(labels) = row.outcome else { panic!("none failed") };
            shown.push((place, row.key.to_owned(), labels[0].class.0));
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!((read.rows, read.broken_blocks), (shown.len() as u64, 0));
    shown
}

fn rows_of(index: &LabelIndex, run: RunId) -> u64 {
    index.runs(&digest("photos")).unwrap().iter().find(|found| found.id == run).unwrap().rows
}

#[test]
fn rows_come_back_to_the_bit_after_a_restart() {
    let folder = TempDir::new().unwrap();
    let index = open(&folder);
    let run = begun(&index);
    let scores = [0.1_f32 + 0.2, f32::MIN_POSITIVE / 2.0, -0.0];
    let labels: Vec<_> =
        scores.iter().zip(5..).map(|(score, class)| Scored { class: ClassId(class), score: *score }).collect();
    let rows = [
        Row { key: "cat/é.jpg", version: [7; 16], outcome: Outcome::Labels(&labels) },
        Row { key: "dog/1.jpg", version: [8; 16], outcome: Outcome::Failed(FailureKind::Malformed) },
    ];
    let places = index.append(run, &rows, &[]).unwrap();
    drop(index);
    let index = open(&folder);
    let mut seen = 0;
    index
        .each(run, &mut |place, row| {
            assert_eq!((place, row), (places[seen], rows[seen]));
            if let Outcome::Labels(labels) = row.outcome {
                assert!(labels.iter().map(|label| label.score.to_bits()).eq(scores.map(f32::to_bits)));
            }
            seen += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!((seen, rows_of(&index, run)), (2, 2));
    assert!(index.bytes_on_disk().get() > 4096);
}

#[test]
fn small_calls_leave_as_few_blocks_as_one_large_one() {
    let folder = TempDir::new().unwrap();
    let index = open(&folder);
    let run = begun(&index);
    let mut places = Vec::new();
    for at in 0..300 {
        places.extend(index.append(run, &[one(&format!("{at}"), &labels(at, 0.5))], &[]).unwrap());
    }
    assert!(places.iter().zip(0_u32..).all(|(place, at)| *place == Place::new(at / 256, at as u8)));
    let blocks =
        index.database.read(|transaction| Ok(redb::ReadableTableMetadata::len(&transaction.open_table(BLOCKS)?)?));
    assert_eq!(blocks.unwrap(), 2);
    let shown = shown(&index, run);
    assert!(shown.iter().zip(0..).all(|((_, key, class), at)| *key == at.to_string() && *class == at));
}

#[test]
fn dead_rows_are_not_shown_and_empty_blocks_are_gone_and_no_number_comes_again() {
    let folder = TempDir::new().unwrap();
    let index = open(&folder);
    let run = begun(&index);
    let keys: Vec<_> = (0..600).map(|at| at.to_string()).collect();
    let scored = labels(1, 0.5);
    let rows: Vec<_> = keys.iter().map(|key| one(key, &scored)).collect();
    let places = index.append(run, &rows, &[]).unwrap();
    let again = index.append(run, &[one("0", &labels(2, 0.5))], &places[..1]).unwrap();
    assert_eq!((rows_of(&index, run), again[0]), (600, Place::new(2, 88)));
    index.kill(run, &places[..256]).unwrap();
    index.kill(run, &places[..256]).unwrap();
    assert_eq!(rows_of(&index, run), 345);
    let shown = shown(&index, run);
    assert_eq!((shown.len(), shown[0].0, &shown[344]), (345, Place::new(1, 0), &(again[0], "0".to_owned(), 2)));
    let mut at = Vec::new();
    index
        .at(run, &[places[0], places[255], places[256], places[300], again[0]], &mut |place, _| at.push(place))
        .unwrap();
    assert_eq!(at, [places[256], places[300], again[0]]);
    // Of the last block all rows may be dead: its places are not given again.
    let rest: Vec<_> = places[256..].iter().copied().chain(again).collect();
    index.kill(run, &rest).unwrap();
    assert_eq!(index.append(run, &rows[..1], &[]).unwrap(), [Place::new(2, 89)]);
    assert_eq!(rows_of(&index, run), 1);
}

#[test]
fn a_visitor_may_end_and_may_call_the_index() {
    let folder = TempDir::new().unwrap();
    let index = open(&folder);
    let run = begun(&index);
    let scored = labels(1, 0.5);
    let places = index.append(run, &[one("a", &scored), one("b", &scored)], &[]).unwrap();
    let mut seen = 0;
    let read = index
        .each(run, &mut |place, _| {
            index.kill(run, &[place]).unwrap();
            seen += 1;
            if seen == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .unwrap();
    assert_eq!((read.rows, rows_of(&index, run)), (2, 0), "what is shown is the run as it was: {places:?}");
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        index.append(run, &[one("c", &scored)], &[]).unwrap();
        index.each(run, &mut |_, _| panic!("the visitor's own")).unwrap();
    }));
    assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"the visitor's own"));
    assert_eq!(rows_of(&index, run), 1);
}

#[test]
fn a_run_is_that_of_one_dataset_and_one_labeller() {
    let folder = TempDir::new().unwrap();
    let index = open(&folder);
    let first = index.begin(&digest("photos"), &labeller("m"), 100).unwrap();
    let other = index.begin(&digest("photos"), &labeller("n"), 90).unwrap();
    let elsewhere = index.begin(&digest("drawings"), &labeller("m"), 110).unwrap();
    assert_eq!(index.begin(&digest("photos"), &labeller("m"), 200).unwrap(), first);
    assert_eq!(index.runs(&digest("photos")).unwrap(), [other.clone(), first.clone()]);
    assert_eq!(index.runs(&digest("drawings")).unwrap(), [elsewhere]);
    let mut renamed = labeller("m");
    renamed.model = "renamed".parse().unwrap();
    let expected = Run { labeller: renamed.clone(), ..first.clone() };
    assert_eq!(index.begin(&digest("photos"), &renamed, 300).unwrap(), expected);
    assert_eq!(index.runs(&digest("photos")).unwrap(), [other, expected]);
}

#[test]
fn a_forgotten_run_is_gone_and_its_number_is_not_given_again() {
    let folder = TempDir::new().unwrap();
    let index = open(&folder);
    let run = begun(&index);
    let places = index.append(run, &[one("a", &labels(1, 0.5)), one("b", &labels(1, 0.5))], &[]).unwrap();
    index.kill(run, &places[..1]).unwrap();
    index.forget(run).unwrap();
    index.forget(run).unwrap();
    assert!(index.runs(&digest("photos")).unwrap().is_empty());
    let gone = |error: LabelError| matches!(error, LabelError::NoSuchRun { run: gone } if gone == run);
    assert!(gone(index.append(run, &[one("a", &labels(1, 0.5))], &[]).unwrap_err()));
    assert!(gone(index.each(run, &mut |_, _| ControlFlow::Continue(())).unwrap_err()));
    assert!(gone(index.at(run, &places, &mut |_, _| ()).unwrap_err()));
    let next = begun(&index);
    assert!(next > run && shown(&index, next).is_empty());
}

#[test]
fn a_row_that_is_not_kept_keeps_its_call_out() {
    let folder = TempDir::new().unwrap();
    let index = open(&folder);
    let run = begun(&index);
    let (good, bad) = (labels(1, 0.5), labels(7, f32::NAN));
    let error = index.append(run, &[one("a", &good), one("b", &bad)], &[]).unwrap_err();
    assert!(matches!(error, LabelError::Row { at: 1, fault: RowFault::NotFinite { class: 7 } }), "{error}");
    assert_eq!(error.to_string(), "row 1 is not kept: its score of class 7 is not finite");
    assert!(shown(&index, run).is_empty() && !error.is_retryable());
}

#[test]
fn an_index_is_open_once() {
    let folder = TempDir::new().unwrap();
    let index = open(&folder);
    let error = LabelIndex::open(folder.path()).unwrap_err();
    assert!(matches!(&error, LabelError::Locked { folder: locked } if locked == folder.path()), "{error}");
    drop(index);
    open(&folder);
}

#[test]
fn jobs_are_kept_until_they_are_removed() {
    let folder = TempDir::new().unwrap();
    let index = open(&folder);
    index.put_job("b", b"first").unwrap();
    index.put_job("a", &[0; 64 * 1024]).unwrap();
    index.put_job("b", b"second").unwrap();
    index.put_job("c", b"").unwrap();
    index.remove_job("a").unwrap();
    index.remove_job("never").unwrap();
    drop(index);
    let kept = [("b".to_owned(), b"second".to_vec()), ("c".to_owned(), Vec::new())];
    let index = open(&folder);
    assert_eq!(index.jobs().unwrap(), kept);
    assert!(index.put_job("a", &[0; 64 * 1024 + 1]).is_err() && index.put_job(&"x".repeat(257), b"").is_err());
    assert_eq!(index.jobs().unwrap(), kept);
}

#[test]
fn threads_that_append_side_by_side_lose_nothing() {
    let folder = TempDir::new().unwrap();
    let index = open(&folder);
    let run = begun(&index);
    std::thread::scope(|scope| {
        for thread in 0..3_u32 {
            let index = &index;
            scope.spawn(move || {
                for at in 0..20 {
                    let key = format!("{thread}/{at}");
                    index.append(run, &[one(&key, &labels(thread, 0.5))], &[]).unwrap();
                    assert!(!shown(index, run).is_empty());
                }
            });
        }
    });
    let shown = shown(&index, run);
    assert_eq!(shown.len(), 60);
    assert!(shown.iter().all(|(_, key, class)| key.starts_with(&class.to_string())));
}

#[test]
fn a_broken_block_is_dropped_and_counted_and_the_rest_is_read() {
    let folder = TempDir::new().unwrap();
    let index = open(&folder);
    let run = begun(&index);
    let keys: Vec<_> = (0..600).map(|at| at.to_string()).collect();
    let scored = labels(1, 0.5);
    let rows: Vec<_> = keys.iter().map(|key| one(key, &scored)).collect();
    let places = index.append(run, &rows, &[]).unwrap();
    index
        .database
        .write(|transaction| {
            let mut blocks = transaction.open_table(BLOCKS)?;
            let mut value = redb::ReadableTable::get(&blocks, (run.0, 1))?.unwrap().value().to_vec();
            value[100] ^= 1;
            blocks.insert((run.0, 1), value.as_slice())?;
            Ok(())
        })
        .unwrap();
    let mut seen = Vec::new();
    let read = index.at(run, &places[255..=256], &mut |place, _| seen.push(place)).unwrap();
    assert_eq!((read.rows, read.broken_blocks, seen), (1, 1, vec![places[255]]));
    assert_eq!(rows_of(&index, run), 344);
    assert_eq!(shown(&index, run).len(), 344, "it was dropped");
    assert_eq!(index.append(run, &rows[..1], &places[..1]).unwrap(), [Place::new(2, 88)]);
}

#[test]
fn a_record_that_is_not_what_was_written_is_a_broken_index_and_no_run_becomes_another() {
    let folder = TempDir::new().unwrap();
    let index = open(&folder);
    let run = begun(&index);
    index.append(run, &[one("a", &labels(1, 0.5))], &[]).unwrap();
    index
        .database
        .write(|transaction| {
            transaction.open_table(TAILS)?.insert(run.0, &[0_u8; 24][..])?;
            Ok(())
        })
        .unwrap();
    let error = index.append(run, &[one("b", &labels(1, 0.5))], &[]).unwrap_err();
    let LabelError::Broken { aside, .. } = error else { panic!("{error}") };
    assert_eq!(aside.to, folder.path().join("labels.broken-1.redb"));
    assert!(aside.to.exists() && aside.why.contains("tail"), "{aside:?}");
    assert!(index.runs(&digest("photos")).unwrap().is_empty());
    let other = index.begin(&digest("photos"), &labeller("other"), 1).unwrap().id;
    assert_ne!(other, run, "whoever still has the run does not write into another");
    assert!(matches!(index.append(run, &[one("b", &labels(1, 0.5))], &[]), Err(LabelError::NoSuchRun { .. })));
}

/// A call, as a property test makes it.
#[derive(Clone, Debug)]
enum Step {
    Append(Vec<u8>),
    Kill(Vec<prop::sample::Index>),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => prop::collection::vec(any::<u8>(), 1..150).prop_map(Step::Append),
        2 => prop::collection::vec(any::<prop::sample::Index>(), 1..100).prop_map(Step::Kill),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn an_index_is_a_list_from_which_rows_are_taken(steps in prop::collection::vec(step(), 1..12)) {
        let folder = TempDir::new().unwrap();
        let mut index = open(&folder);
        let run = begun(&index);
        let (mut expected, mut all) = (BTreeMap::new(), Vec::new());
        for (step, number) in steps.into_iter().zip(0_u32..) {
            match step {
                Step::Append(keys) => {
                    let keys: Vec<_> = keys.into_iter().map(|key| format!("{key}")).collect();
                    let scored = labels(number, 0.5);
                    let rows: Vec<_> = keys.iter().map(|key| one(key, &scored)).collect();
                    let earlier = all.last().copied();
                    let places = index.append(run, &rows, earlier.as_slice()).unwrap();
                    earlier.map(|place| expected.remove(&place));
                    expected.extend(places.iter().copied().zip(keys.into_iter().map(|key| (key, number))));
                    all.extend(places);
                }
                Step::Kill(which) if !all.is_empty() => {
                    let places: Vec<Place> = which.iter().map(|at| all[at.index(all.len())]).collect();
                    index.kill(run, &places).unwrap();
                    places.iter().for_each(|place| drop(expected.remove(place)));
                }
                Step::Kill(_) => {}
                Step::Restart => {
                    drop(index);
                    index = open(&folder);
                }
            }
            let found = shown(&index, run).into_iter().map(|(place, key, class)| (place, (key, class)));
            prop_assert!(found.eq(expected.clone()));
            prop_assert_eq!(rows_of(&index, run), expected.len() as u64);
        }
        prop_assert!(all.is_sorted(), "a place is never given twice");
    }
}
