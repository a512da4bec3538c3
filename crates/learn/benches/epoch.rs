//! One epoch of softmax regression: 50,000 features of 2,048 numbers, 100 classes; seconds per epoch.
//!
//! `cargo bench -p headwater-learn`. Arguments: batch size (the default's), hidden units of a perceptron (none).

use std::error::Error;
use std::ops::ControlFlow;
use std::time::Instant;

use headwater_learn::{FeatureSet, Head, HeadKind, Replay, TrainOptions, Trainer};
use headwater_types::{ByteCount, ClassId, Seed};

const SAMPLES: usize = 50_000;
const DIM: usize = 2_048;
const CLASSES: usize = 100;
const EPOCHS: u32 = 5;

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds `--bench`.
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let batch_size = numbers.first().copied().unwrap_or_else(|| TrainOptions::default().batch_size_for(SAMPLES));
    let kind = numbers.get(1).map_or(HeadKind::Softmax, |&hidden| HeadKind::Mlp { hidden });

    let mut replay = Replay::new(DIM, CLASSES, ByteCount::mebibytes(1024), Seed(0))?;
    let mut state = 1_u64;
    let mut feature = vec![0.0; DIM];
    let filling = Instant::now();
    for sample in 0..SAMPLES {
        for value in &mut feature {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *value = (state >> 40) as f32 / (1_u32 << 24) as f32;
        }
        replay.push(&feature, ClassId((sample % CLASSES) as u32))?;
    }
    println!("{SAMPLES} features of {DIM} pushed in {:.2} s", filling.elapsed().as_secs_f64());

    let head = Head::new(kind, DIM, CLASSES, Seed(0))?;
    let nothing = FeatureSet::new(DIM, CLASSES);
    let options = TrainOptions { batch_size: Some(batch_size), epochs: EPOCHS, ..TrainOptions::default() };
    let mut trainer = Trainer::new(head, replay.moments(), &nothing, options)?;
    let mut fastest = f64::INFINITY;
    for _ in 0..EPOCHS {
        let start = Instant::now();
        trainer.epoch(replay.set(), &nothing, &mut |_| ControlFlow::Continue(()))?;
        fastest = fastest.min(start.elapsed().as_secs_f64());
    }
    println!(
        "{kind:?}, batches of {batch_size}, {CLASSES} classes: {fastest:.2} s per epoch (best of {EPOCHS}, one thread)"
    );
    let start = Instant::now();
    trainer.finish().evaluate(replay.set())?;
    println!("evaluation: {:.2} s", start.elapsed().as_secs_f64());
    Ok(())
}
