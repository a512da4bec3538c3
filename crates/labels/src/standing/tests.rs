//! Columns against what a plain list would say.

use headwater_types::{ClassId, FailureKind};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::index::LabelIndex;
use crate::row::Row;
use crate::samples::{digest, labeller, labels, one};

/// A column of these best labels; `None` is a failure.
fn of(best: &[Option<(u32, f32)>]) -> Standing {
    let mut standing = Standing::new(best.len());
    for (sample, best) in (0..).zip(best) {
        let place = Place::new(0, sample as u8);
        match best {
            Some((class, score)) => standing.set(sample, &Outcome::Labels(&labels(*class, *score)), place),
            None => standing.set(sample, &Outcome::Failed(FailureKind::Malformed), place),
        }
    }
    standing
}

#[test]
fn what_stands_is_what_was_set_last() {
    let mut standing = Standing::new(2);
    assert_eq!((standing.standing(0), standing.standing(2), standing.labelled()), (None, None, 0));
    let place = Place::new(3, 4);
    standing.set(0, &Outcome::Failed(FailureKind::Io), place);
    assert_eq!(standing.standing(0), Some(Best::Failed { place }));
    assert_eq!((standing.labelled(), standing.failed()), (0, 1));
    standing.set(0, &Outcome::Labels(&labels(7, 0.25)), place);
    standing.set(9, &Outcome::Labels(&labels(7, 0.25)), place);
    assert_eq!(standing.standing(0), Some(Best::Labelled { class: ClassId(7), score: 0.25, place }));
    assert_eq!((standing.labelled(), standing.failed(), standing.superseded(0)), (1, 0, None));
    assert_eq!(standing.memory().get(), 26);
}

#[test]
fn questions_are_answered_in_order_and_ties_by_sample() {
    let standing = of(&[Some((1, 0.5)), None, Some((0, 0.9)), Some((1, 0.75)), Some((1, 0.5)), Some((3, -2.0))]);
    assert_eq!(standing.counts(f32::NEG_INFINITY), [1, 3, 0, 1]);
    assert_eq!((standing.counts(0.6), standing.counts(1.0)), (vec![1, 1], vec![]));
    assert_eq!(standing.of_class(ClassId(1), 0.0, Order::ByScore, 9), [3, 0, 4]);
    assert_eq!(standing.of_class(ClassId(1), 0.0, Order::ByScore, 2), [3, 0]);
    assert_eq!(standing.of_class(ClassId(1), 0.0, Order::BySample, 2), [0, 3]);
    assert_eq!(standing.of_class(ClassId(1), 0.6, Order::BySample, 2), [3]);
    assert_eq!(standing.of_class(ClassId(u32::MAX - 1), f32::NEG_INFINITY, Order::BySample, 2), [0; 0]);
    assert_eq!((standing.uncertain(3), standing.uncertain(0)), (vec![5, 0, 4], vec![]));
    assert_eq!(standing.uncertain(99), [5, 0, 4, 3, 2]);
}

#[test]
fn differences_are_of_what_both_have_labelled() {
    let earlier = of(&[Some((1, 0.5)), None, Some((0, 0.9)), Some((1, 0.7)), Some((2, 0.5))]);
    let later = of(&[Some((2, 0.1)), Some((1, 0.1)), Some((0, 0.1)), Some((2, 0.1)), Some((1, 0.1))]);
    let changed = |sample, from, to| Changed { sample, from: ClassId(from), to: ClassId(to) };
    let changes = earlier.differences(&later);
    assert_eq!(changes.samples, [changed(0, 1, 2), changed(3, 1, 2), changed(4, 2, 1)]);
    assert_eq!(changes.counts, [(ClassId(1), ClassId(2), 2), (ClassId(2), ClassId(1), 1)]);
    assert_eq!(changes.both, 4);
    assert_eq!(earlier.differences(&Standing::new(5)), Changes::default());
}

#[test]
fn a_run_is_read_as_the_listing_is_now() {
    let folder = TempDir::new().unwrap();
    let index = LabelIndex::open(folder.path()).unwrap().index;
    let run = index.begin(&digest("photos"), &labeller("m"), 1).unwrap().id;
    let now = [2; 16];
    let row = |key, version: u8, labels| Row { version: [version; 16], ..one(key, labels) };
    let l: Vec<_> = (0..8).map(|class| labels(class, 0.5)).collect();
    let rows = [
        row("a", 1, &l[0]), // changed since
        row("b", 2, &l[1]),
        row("gone", 2, &l[2]),
        row("b", 2, &l[3]), // once more, after an error
        row("c", 2, &l[4]),
        row("c", 1, &l[5]), // an earlier version that came late
        row("a", 0, &l[6]), // two other versions
        Row { outcome: Outcome::Failed(FailureKind::Malformed), ..row("d", 2, &l[7]) },
    ];
    let places = index.append(run, &rows, &[]).unwrap();
    let find = |key: &str, version| match "abcde".find(key) {
        Some(at) if version == now => Found::Here(at as u64),
        Some(at) => Found::OtherVersion(at as u64),
        None => Found::Gone,
    };
    let standing = Standing::read(&index, run, 5, &find).unwrap();
    let labelled = |class, at: usize| Some(Best::Labelled { class: ClassId(class), score: 0.5, place: places[at] });
    let found: Vec<_> = (0..5).map(|sample| standing.standing(sample)).collect();
    assert_eq!(found, [None, labelled(3, 3), labelled(4, 4), Some(Best::Failed { place: places[7] }), None]);
    assert_eq!((standing.superseded(0), standing.superseded(1)), (Some(places[6]), None));
    assert_eq!(standing.gone(), [places[0], places[1], places[2], places[5]]);
    assert_eq!((standing.labelled(), standing.failed(), standing.broken_blocks()), (2, 1, 0));
}

proptest! {
    #[test]
    fn columns_say_what_a_sorted_list_says(
        best in prop::collection::vec(prop::option::of((0_u32..4, -2_i8..3)), 0..40),
        later in prop::collection::vec(prop::option::of((0_u32..4, -2_i8..3)), 40),
        limit in 0_usize..12,
        least in -3_i8..3,
    ) {
        let scores = |best: &[Option<(u32, i8)>]| -> Vec<_> {
            best.iter().map(|best| best.map(|(class, score)| (class, f32::from(score)))).collect()
        };
        let (best, later, least) = (scores(&best), scores(&later[..best.len()]), f32::from(least));
        let standing = of(&best);
        let known = (0_u64..).zip(&best).filter_map(|(sample, best)| best.map(|best| (sample, best.0, best.1)));
        let known: Vec<_> = known.collect();
        prop_assert_eq!(standing.labelled() as usize, known.len());
        let mut uncertain = known.clone();
        uncertain.sort_by(|one, other| one.2.total_cmp(&other.2));
        let expected: Vec<_> = uncertain.iter().map(|best| best.0).take(limit).collect();
        prop_assert_eq!(standing.uncertain(limit), expected);
        let counts = standing.counts(least);
        for class in 0..4 {
            let mut of_class: Vec<_> = known.iter().filter(|best| best.1 == class && best.2 >= least).collect();
            prop_assert_eq!(counts.get(class as usize).copied().unwrap_or(0) as usize, of_class.len());
            of_class.sort_by(|one, other| other.2.total_cmp(&one.2));
            let expected: Vec<_> = of_class.iter().map(|best| best.0).take(limit).collect();
            prop_assert_eq!(standing.of_class(ClassId(class), least, Order::ByScore, limit), expected);
        }
        let changes = standing.differences(&of(&later));
        let both = best.iter().zip(&later).filter_map(|(one, other)| Some((one.as_ref()?.0, other.as_ref()?.0)));
        prop_assert_eq!(changes.samples.len(), both.clone().filter(|(from, to)| from != to).count());
        prop_assert_eq!(changes.counts.iter().map(|count| count.2).sum::<u64>(), changes.samples.len() as u64);
        prop_assert_eq!(changes.both, both.count() as u64);
    }
}
