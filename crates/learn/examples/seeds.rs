//! Top-1 of a head over several seeds, on features that lie in files: how good the default settings are.
//!
//! `cargo run --release -p headwater-learn --example seeds -- DIR...`, where each DIR holds `features.f32` (f32, little
//! endian, row by row), `labels.u32` and `keys.txt` (a key a line). A fifth of the keys is kept for validation.

use std::error::Error;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use headwater_learn::{FeatureSet, Head, HeadKind, Replay, TrainOptions, Trainer, in_validation};
use headwater_types::{ByteCount, ClassId, SampleKey, Seed};

const SEEDS: u64 = 10;
const FRACTION: f64 = 0.2;

struct Features {
    dim: usize,
    classes: usize,
    samples: Vec<(SampleKey, ClassId, Vec<f32>)>,
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("{:40} {:>10} {:>6} {:>6} {:>6} {:>6}", "features", "head", "n", "mean", "least", "loss");
    for folder in std::env::args().skip(1) {
        let features = read(Path::new(&folder))?;
        for kind in [HeadKind::Softmax, HeadKind::Mlp { hidden: 128 }] {
            let (mut top1, mut loss) = (Vec::new(), Vec::new());
            for seed in (1..=SEEDS).map(Seed) {
                if let Some(metrics) = train(&features, kind, seed)? {
                    top1.push(metrics.top1);
                    loss.push(metrics.loss);
                }
            }
            let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
            let least = top1.iter().copied().fold(1.0, f64::min);
            let name = match kind {
                HeadKind::Softmax => "softmax".to_owned(),
                HeadKind::Mlp { hidden } => format!("mlp {hidden}"),
            };
            let (n, mean_top1, mean_loss) = (features.samples.len(), mean(&top1), mean(&loss));
            println!("{folder:40} {name:>10} {n:>6} {mean_top1:>6.3} {least:>6.3} {mean_loss:>6.3}");
        }
    }
    Ok(())
}

fn train(features: &Features, kind: HeadKind, seed: Seed) -> Result<Option<headwater_learn::Metrics>, Box<dyn Error>> {
    let mut train = Replay::new(features.dim, features.classes, ByteCount::mebibytes(1024), seed)?;
    let mut validation = FeatureSet::new(features.dim, features.classes);
    for (key, label, feature) in &features.samples {
        if in_validation(key, seed, FRACTION) {
            validation.push(feature, *label)?;
        } else {
            train.push(feature, *label)?;
        }
    }
    let head = Head::new(kind, features.dim, features.classes, seed)?;
    let options = TrainOptions { seed, ..TrainOptions::default() };
    let mut trainer = Trainer::new(head, train.moments(), &validation, options)?;
    trainer.run(train.set(), &validation, &mut |_| ControlFlow::Continue(()))?;
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
