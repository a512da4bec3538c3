//! Top-1 of a head over several seeds, on features that lie in files: how good the default settings are.
//!
//! `cargo run --release -p headwater-learn --example seeds -- DIR...`, where each DIR holds `features.f32` (f32, little
//! endian, row by row), `labels.u32` and `keys.txt` (a key a line). A fifth of the keys is kept for validation.

use std::error::Error;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use headwater_learn::{FeatureSet, Head, HeadKind, Metrics, Replay, TrainOptions, Trainer, in_validation};
use headwater_types::{ByteCount, ClassId, SampleKey, Seed};

const SEEDS: u64 = 10;
const FRACTION: f64 = 0.2;

struct Features {
    dim: usize,
    classes: usize,
    samples: Vec<(SampleKey, ClassId, Vec<f32>)>,
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("{:30} {:>10} {:>6} {:>16} {:>16}", "", "", "", "early stopping", "to the end, blind");
    println!("{:30} {:>10} {:>6} {:>16} {:>16}", "features", "head", "n", "top-1 mean least", "top-1 mean least");
    for folder in std::env::args().skip(1) {
        let features = read(Path::new(&folder))?;
        for kind in [HeadKind::Softmax, HeadKind::Mlp { hidden: 128 }] {
            let name = match kind {
                HeadKind::Softmax => "softmax".to_owned(),
                HeadKind::Mlp { hidden } => format!("mlp {hidden}"),
            };
            print!("{folder:30} {name:>10} {:>6}", features.samples.len());
            for stops_early in [true, false] {
                let mut top1 = Vec::new();
                for seed in (1..=SEEDS).map(Seed) {
                    top1.extend(train(&features, kind, seed, stops_early)?.map(|metrics| metrics.top1));
                }
                let mean = top1.iter().sum::<f64>() / top1.len() as f64;
                print!("     {mean:.3} {:.3}", top1.iter().copied().fold(1.0, f64::min));
            }
            println!();
        }
    }
    Ok(())
}

/// On the validation split. Training sees it only where it is to stop by it.
fn train(
    features: &Features,
    kind: HeadKind,
    seed: Seed,
    stops_early: bool,
) -> Result<Option<Metrics>, Box<dyn Error>> {
    let mut train = Replay::new(features.dim, features.classes, ByteCount::mebibytes(1024), seed)?;
    let mut validation = FeatureSet::new(features.dim, features.classes);
    for (key, label, feature) in &features.samples {
        if in_validation(key, seed, FRACTION) {
            validation.push(feature, *label)?;
        } else {
            train.push(feature, *label)?;
        }
    }
    let nothing = FeatureSet::new(features.dim, features.classes);
    let judge = if stops_early { &validation } else { &nothing };
    let head = Head::new(kind, features.dim, features.classes, seed)?;
    let mut trainer = Trainer::new(head, train.moments(), judge, TrainOptions { seed, ..TrainOptions::default() })?;
    trainer.run(train.set(), judge, &mut |_| ControlFlow::Continue(()))?;
    Ok(trainer.finish().evaluate(&validation)?)
}

fn read(folder: &Path) -> Result<Features, Box<dyn Error>> {
    let words = |name: &str| fs::read(folder.join(name)).map(|bytes| bytes.as_chunks().0.to_vec());
    let numbers: Vec<f32> = words("features.f32")?.into_iter().map(f32::from_le_bytes).collect();
    let labels: Vec<u32> = words("labels.u32")?.into_iter().map(u32::from_le_bytes).collect();
    let keys = fs::read_to_string(folder.join("keys.txt"))?;
    let dim = numbers.len() / labels.len().max(1);
    let rows = numbers.chunks_exact(dim.max(1)).zip(&labels).zip(keys.lines());
    let samples = rows.map(|((row, label), key)| Ok((key.parse()?, ClassId(*label), row.to_vec())));
    let classes = labels.iter().max().map_or(0, |&last| last as usize + 1);
    Ok(Features { dim, classes, samples: samples.collect::<Result<_, Box<dyn Error>>>()? })
}
