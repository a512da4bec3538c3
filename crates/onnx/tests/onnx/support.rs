//! Small models, and ONNX Runtime in Python as the oracle.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use headwater_onnx::graph::Window;
use headwater_onnx::{Dense, Dim, GraphBuilder, Head, ValueFacts};
use headwater_types::Digest;

/// Runs a model on a batch of f32 inputs; its outputs by name, or the error. `None`, and a line that says so, where no
/// Python with ONNX Runtime is found.
pub(crate) fn run_with_python(model: &[u8], dims: &[usize], input: &[f32]) -> Option<HashMap<String, Vec<f32>>> {
    const SCRIPT: &str = "
import json, sys, numpy, onnxruntime
onnxruntime.set_default_logger_severity(3)
model, data, dims = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
session = onnxruntime.InferenceSession(model)
[fed] = session.get_inputs()
outputs = session.run(None, {fed.name: numpy.fromfile(data, 'float32').reshape(dims)})
print(json.dumps({o.name: v.ravel().tolist() for o, v in zip(session.get_outputs(), outputs)}))
";
    let python = python()?;
    let folder = tempfile::tempdir().unwrap();
    let (model_file, data_file) = (folder.path().join("model.onnx"), folder.path().join("input.f32"));
    std::fs::write(&model_file, model).unwrap();
    std::fs::write(&data_file, input.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>()).unwrap();
    let output = Command::new(python)
        .args(["-c", SCRIPT])
        .args([&model_file, &data_file])
        .arg(serde_json::to_string(dims).unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

pub(crate) fn python() -> Option<PathBuf> {
    let given = std::env::var_os("HEADWATER_PYTHON").map(PathBuf::from);
    let found = given.into_iter().chain([repository().join(".venv/bin/python")]).find(|python| {
        let imports = Command::new(python).args(["-c", "import numpy, onnxruntime"]).output();
        imports.is_ok_and(|output| output.status.success())
    });
    if found.is_none() {
        println!("skipped: no Python with onnxruntime (set HEADWATER_PYTHON)");
    }
    found
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A model of the shared test data; where the data is missing, a line is printed.
pub(crate) fn shared_model(name: &str) -> Option<Vec<u8>> {
    let given = std::env::var_os("HEADWATER_TEST_DATA").map(PathBuf::from);
    let path = given.unwrap_or_else(|| repository().join("../shared/data")).join("models").join(name);
    let bytes = std::fs::read(&path).ok();
    match bytes {
        Some(_) => println!("using {name} of the shared test data"),
        None => println!("skipped: no {}", path.display()),
    }
    bytes
}

/// Numbers between -1 and 1 that look random and are the same every time.
pub(crate) fn noise(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        f64::from(state) / f64::from(u32::MAX) * 2.0 - 1.0
    };
    (0..count).map(|_| next() as f32).collect()
}

/// Images `[N, 3, 8, 8]` to `features`, and to a classifier of its own whose outputs are called as a head's are.
/// Features have 6 elements, on one axis or on three.
pub(crate) fn small_extractor(flat: bool) -> Vec<u8> {
    let mut graph = GraphBuilder::new("small");
    let batch = || Dim::symbol("batch");
    graph.input(&ValueFacts::float32("input", &[batch(), Dim::Fixed(3), Dim::Fixed(8), Dim::Fixed(8)]));
    graph.constant("conv.weight", &[6, 3, 3, 3], &noise(6 * 27, 1)).constant("conv.bias", &[6], &noise(6, 2));
    let window = Window { kernel: 3, stride: 2, pad: 1 };
    graph.conv("conv", ["input", "conv.weight", "conv.bias"], window, 1).relu("relu", "conv");
    if flat {
        graph.global_average_pool("pool", "relu").flatten("features", "pool");
        graph.output(&ValueFacts::float32("features", &[batch(), Dim::Fixed(6)]));
    } else {
        graph.global_average_pool("features", "relu").flatten("flat", "features");
        let dims = [batch(), Dim::Fixed(6), Dim::Fixed(1), Dim::Fixed(1)];
        graph.output(&ValueFacts::float32("features", &dims));
    }
    graph.constant("old.weight", &[4, 6], &noise(24, 3)).constant("old.bias", &[4], &noise(4, 4));
    graph.gemm("logits", [if flat { "features" } else { "flat" }, "old.weight", "old.bias"]).softmax("probs", "logits");
    for output in ["probs", "logits"] {
        graph.output(&ValueFacts::float32(output, &[batch(), Dim::Fixed(4)]));
    }
    graph.metadata("origin", "test");
    graph.finish()
}

pub(crate) fn dense(inputs: usize, outputs: usize, seed: u32) -> Dense {
    Dense { inputs, outputs, weights: noise(inputs * outputs, seed), bias: noise(outputs, seed + 1) }
}

/// A head over so many features, with a hidden layer or without.
pub(crate) fn head(features: usize, hidden: Option<usize>) -> Head {
    let layers = match hidden {
        None => vec![dense(features, 3, 11)],
        Some(hidden) => vec![dense(features, hidden, 11), dense(hidden, 3, 13)],
    };
    let classes = ["red", "größer", "a \"b\""].map(str::to_owned).to_vec();
    Head { layers, classes, extractor: Digest::of(b"extractor"), recipe: Digest::of(b"recipe") }
}

/// The output of a stack of layers, computed in f64.
pub(crate) fn logits(layers: &[Dense], features: &[f32]) -> Vec<f64> {
    let mut x: Vec<f64> = features.iter().map(|v| f64::from(*v)).collect();
    for (index, layer) in layers.iter().enumerate() {
        let row = |r: usize| -> f64 {
            let weights = &layer.weights[r * layer.inputs..(r + 1) * layer.inputs];
            f64::from(layer.bias[r]) + weights.iter().zip(&x).map(|(w, x)| f64::from(*w) * x).sum::<f64>()
        };
        let y: Vec<f64> = (0..layer.outputs).map(row).collect();
        x = if index + 1 < layers.len() { y.into_iter().map(|v| v.max(0.0)).collect() } else { y };
    }
    x
}

#[track_caller]
pub(crate) fn assert_close(left: &[f32], right: &[f32], tolerance: f32) {
    assert_eq!(left.len(), right.len());
    let worst = left.iter().zip(right).map(|(l, r)| (l - r).abs()).fold(0.0, f32::max);
    assert!(worst <= tolerance, "they differ by up to {worst}");
}
