//! Classes that arrive run by run: with replay a head knows them all in the end; without, only those of the last run.

use std::ops::ControlFlow;

use headwater_learn::{FeatureSet, Head, HeadKind, LearnError, Replay, TrainOptions, Trainer};
use headwater_types::{ByteCount, ClassId, Seed};

const DIM: usize = 32;
const CLASSES: u32 = 9;
const RUNS: u32 = 3;
const PER_CLASS: u32 = 60;

/// Uniform in -1 to 1, from SplitMix64: the same clouds on every machine.
struct Noise(u64);

// === impl Noise ===

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ x >> 31) >> 40) as f32 / (1_u32 << 23) as f32 - 1.0
    }
}

/// A photo's feature: its class's centre, and as much noise.
fn feature(class: u32, sample: u64) -> Vec<f32> {
    let (mut centre, mut noise) = (Noise(u64::from(class) << 32), Noise(1 + sample));
    (0..DIM).map(|_| 4.0 + centre.next() + noise.next()).collect()
}

/// The classes of a run: three of the nine.
fn classes_of(run: u32) -> impl Iterator<Item = u32> {
    run * CLASSES / RUNS..(run + 1) * CLASSES / RUNS
}

fn arrivals(run: u32) -> Vec<(Vec<f32>, ClassId)> {
    let arrival =
        |class| (0..PER_CLASS).map(move |sample| (feature(class, u64::from(1_000 * class + sample)), ClassId(class)));
    classes_of(run).flat_map(arrival).collect()
}

/// Trains on all runs in turn, each from the last one's head, in `memory` bytes or with nothing but the run's own
/// features. Gives top-1 on new samples of the first run's classes, and of the last's.
fn top1_after_all_runs(kind: HeadKind, memory: Option<ByteCount>) -> Result<(f64, f64), LearnError> {
    let replay_of = |limit| Replay::new(DIM, CLASSES as usize, limit, Seed(1));
    let unbounded = ByteCount::mebibytes(64);
    let mut head = Head::new(kind, DIM, CLASSES as usize, Seed(1))?;
    let mut replay = replay_of(memory.unwrap_or(unbounded))?;
    let mut validation = FeatureSet::new(DIM, CLASSES as usize);
    for run in 0..RUNS {
        let mut arriving = replay_of(memory.unwrap_or(unbounded))?;
        for (feature, label) in arrivals(run) {
            arriving.push(&feature, label)?;
        }
        for class in classes_of(run) {
            (0..10).try_for_each(|s| validation.push(&feature(class, 1_000_000 + s), ClassId(class)))?;
        }
        match memory {
            Some(_) => replay.absorb(&arriving)?,
            None => replay = arriving,
        }
        // Forgetting is to be seen: without replay, no validation on the earlier runs either.
        let judge = if memory.is_some() { validation.clone() } else { FeatureSet::new(DIM, CLASSES as usize) };
        let mut trainer = Trainer::new(head, replay.moments(), &judge, TrainOptions::default())?;
        trainer.run(replay.set(), &judge, &mut |_| ControlFlow::Continue(()))?;
        head = trainer.finish();
    }
    let top1 = |run| {
        let mut set = FeatureSet::new(DIM, CLASSES as usize);
        for class in classes_of(run) {
            (0..50).try_for_each(|s| set.push(&feature(class, 2_000_000 + s), ClassId(class)))?;
        }
        Ok(head.evaluate(&set)?.map_or(0.0, |metrics| metrics.top1))
    };
    Ok((top1(0)?, top1(RUNS - 1)?))
}

#[test]
fn with_replay_the_first_run_is_known_as_well_as_the_last() {
    for kind in [HeadKind::Softmax, HeadKind::Mlp { hidden: 64 }] {
        let (first, last) = top1_after_all_runs(kind, Some(ByteCount::mebibytes(64))).unwrap();
        assert!(first > 0.95 && last > 0.95, "{kind:?}: {first} {last}");
    }
}

#[test]
fn with_replay_in_a_quarter_of_the_memory_too() {
    let all = u64::from(CLASSES * PER_CLASS) * (DIM as u64 * 4 + 12);
    for kind in [HeadKind::Softmax, HeadKind::Mlp { hidden: 64 }] {
        let (first, last) = top1_after_all_runs(kind, Some(ByteCount::new(all / 4))).unwrap();
        assert!(first > 0.9 && last > 0.9, "{kind:?}: {first} {last}");
    }
}

#[test]
fn without_replay_the_first_run_is_forgotten() {
    for kind in [HeadKind::Softmax, HeadKind::Mlp { hidden: 64 }] {
        let (first, last) = top1_after_all_runs(kind, None).unwrap();
        assert!(first < 0.5 && last > 0.95, "{kind:?}: {first} {last}");
    }
}
