//! Models that are made on the spot, and steps of training.

use std::path::{Path, PathBuf};

use headwater_onnx::{GraphBuilder, Limits, places};

/// Numbers by xorshift.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }

    /// About a normal distribution, of mean 0 and variance 1.
    pub(crate) fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.below(1 << 24) as f32 / (1 << 24) as f32).sum::<f32>() - 6.0
    }
}

/// A model of tensors of these names, with as many weights each.
pub(crate) fn model(tensors: &[(&str, &[f32])]) -> Vec<u8> {
    let mut graph = GraphBuilder::new("delta");
    for (name, weights) in tensors {
        graph.constant(name, &[weights.len()], weights).relu(&format!("{name}.relu"), name);
    }
    graph.finish()
}

pub(crate) fn weights(count: usize, dice: &mut Dice) -> Vec<f32> {
    (0..count).map(|_| dice.normal() * 0.05).collect()
}

/// Weights after some steps of SGD with momentum, of gradients of about this size.
pub(crate) fn trained(weights: &[f32], steps: usize, gradient: f32, dice: &mut Dice) -> Vec<f32> {
    let mut trained = weights.to_vec();
    for weight in &mut trained {
        let mut momentum = 0.0;
        for _ in 0..steps {
            momentum = 0.9 * momentum + gradient * dice.normal();
            *weight -= 0.01 * momentum;
        }
    }
    trained
}

/// A file of the same structure, all of whose float tensors were trained.
pub(crate) fn trained_file(file: &[u8], steps: usize, dice: &mut Dice) -> Vec<u8> {
    let mut trained_file = file.to_vec();
    for place in places(file, &Limits::default()).unwrap() {
        let bytes = &mut trained_file[place.data];
        let weights: Vec<f32> = bytes.as_chunks().0.iter().map(|word| f32::from_le_bytes(*word)).collect();
        let new = trained(&weights, steps, 0.002, dice);
        bytes.as_chunks_mut().0.iter_mut().zip(new).for_each(|(word, new)| *word = new.to_le_bytes());
    }
    trained_file
}

/// The model mobilenet_v2 of the shared test data; where the data is missing, a line is printed.
pub(crate) fn mobilenet() -> Option<Vec<u8>> {
    let given = std::env::var_os("HEADWATER_TEST_DATA").map(PathBuf::from);
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let path = given.unwrap_or_else(beside).join("models/mobilenet_v2_1.0_224.onnx");
    let bytes = std::fs::read(&path).ok();
    match bytes {
        Some(_) => println!("using mobilenet_v2 of the shared test data"),
        None => println!("skipped: no {}", path.display()),
    }
    bytes
}
