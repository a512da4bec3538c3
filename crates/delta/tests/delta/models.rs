//! Promise: a delta gives its target back to the bit, whatever the two files are, and is short where they are related.

use headwater_delta::{Limits, apply, encode, facts};
use headwater_onnx::{Head, join};
use headwater_types::{ByteCount, Digest};
use proptest::prelude::*;

use crate::support::{Dice, mobilenet, model, trained, trained_file, weights};

/// The length of the delta of two files, which was applied and checked.
fn length(base: &[u8], target: &[u8]) -> usize {
    let delta = encode(base, target);
    let restored = apply(base, &delta, &Limits::default()).unwrap();
    assert!(restored == target, "{} bytes came back as {} others", target.len(), restored.len());
    assert!(delta.len() <= target.len() + target.len() / 1000 + 256, "{} of {}", delta.len(), target.len());
    delta.len()
}

#[test]
fn facts_are_those_of_the_files() {
    let (base, target) = (b"the one".to_vec(), b"the other".to_vec());
    let delta = encode(&base, &target);
    let found = facts(&delta).unwrap();
    assert_eq!((found.base, found.target), (Digest::of(&base), Digest::of(&target)));
    assert_eq!((found.base_bytes, found.target_bytes), (ByteCount::new(7), ByteCount::new(9)));
    assert_eq!(found.delta_bytes, delta.len().into());
    assert_eq!(delta, encode(&base, &target), "the same files give the same delta");
}

#[test]
fn a_model_that_was_trained_takes_fewer_bytes_the_less_it_changed() {
    let mut dice = Dice(3);
    let (a, b) = (weights(40_000, &mut dice), weights(30_000, &mut dice));
    let base = model(&[("a", &a), ("b", &b)]);
    let mut after = |steps| {
        let (a, b) = (trained(&a, steps, 0.002, &mut dice), trained(&b, steps, 0.002, &mut dice));
        length(&base, &model(&[("a", &a), ("b", &b)]))
    };
    let (once, often) = (after(1), after(20));
    println!("of {} bytes: {once} after one step, {often} after twenty", base.len());
    assert!(once < base.len() * 6 / 10 && often < base.len() * 8 / 10 && once < often);
    assert_eq!(length(&base, &base) / 100, 1, "what is equal is one copy");
}

#[test]
fn a_tensor_that_moved_or_has_another_name_takes_nothing() {
    let mut dice = Dice(4);
    let (a, b) = (weights(9000, &mut dice), weights(5000, &mut dice));
    let base = model(&[("a", &a), ("b", &b)]);
    for target in [model(&[("b", &b), ("a", &a)]), model(&[("c", &a), ("d", &b)])] {
        assert!(length(&base, &target) < 600);
    }
    let more = weights(1000, &mut dice);
    let size = length(&base, &model(&[("a", &a), ("new", &more), ("b", &b)]));
    assert!((2800..4600).contains(&size), "what is new travels whole: {size}");
}

#[test]
fn files_that_are_no_models_or_have_nothing_in_common_come_back() {
    let mut dice = Dice(5);
    let mut noise = |length: usize| (0..length).map(|_| dice.below(256) as u8).collect::<Vec<u8>>();
    let files = [Vec::new(), vec![7; 100_000], noise(3_000_000), noise(1000), b"text ".repeat(1000)];
    let models = [model(&[]), model(&[("a", &[1.0; 5000])]), model(&[("a", &weights(5000, &mut Dice(1)))])];
    for base in files.iter().chain(&models) {
        for target in files.iter().chain(&models) {
            length(base, target);
        }
    }
}

#[test]
fn mobilenet_with_another_head_and_after_steps_takes_few_bytes() {
    let Some(base) = mobilenet() else { return };
    let head = |classes: usize, seed| {
        let layer = headwater_onnx::Dense {
            inputs: 1280,
            outputs: classes,
            weights: weights(1280 * classes, &mut Dice(seed)),
            bias: vec![0.0; classes],
        };
        let classes = (0..classes).map(|class| format!("class {class}")).collect();
        Head { classes, layers: vec![layer], extractor: Digest::of(b"extractor"), recipe: Digest::of(b"recipe") }
    };
    let joined = |head: Head| join(&base, "features", &head.write().unwrap(), &Default::default()).unwrap();
    let (old, new) = (joined(head(10, 1)), joined(head(10, 2)));
    for (of, size) in [("the model", length(&base, &new)), ("another head", length(&old, &new))] {
        println!("a new head against {of}: {size} of {} bytes", base.len());
        assert!(size < base.len() / 100);
    }
    let after = |steps| length(&base, &trained_file(&base, steps, &mut Dice(6)));
    let (once, often) = (after(1), after(5));
    println!("one step: {once}, five: {often}");
    assert!(once < base.len() * 6 / 10 && often < base.len() * 8 / 10 && once < often);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_two_files_have_a_delta(base: Vec<u8>, target: Vec<u8>) {
        length(&base, &target);
        length(&target, &target);
    }

    #[test]
    fn any_change_of_a_model_has_a_delta(seed: u64, cut: usize, changes in 0_usize..2000) {
        let mut dice = Dice(seed | 1);
        let base = model(&[("a", &weights(3000, &mut dice)), ("b", &weights(700, &mut dice))]);
        let mut target = base.clone();
        for _ in 0..changes {
            let at = dice.below(target.len());
            target[at] = dice.below(256) as u8;
        }
        length(&base, &target);
        target.truncate(cut % target.len());
        length(&base, &target);
    }
}
