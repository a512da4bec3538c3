//! What the fuzzer of deltas begins with, and what it has found, is read by every test run.

use std::path::Path;

use headwater_delta::{Limits, Unpack, apply, encode};
use headwater_onnx::GraphBuilder;

/// The same as the fuzzer's.
fn base() -> Vec<u8> {
    model(1.0, "w")
}

/// A model whose weights were multiplied, of whose first tensor this is the name.
fn model(by: f32, name: &str) -> Vec<u8> {
    let weights: Vec<f32> = (0..600).map(|at| (0.25 + at as f32 / 4096.0) * by).collect();
    GraphBuilder::new("delta").constant(name, &[600], &weights).constant("b", &[40], &weights[..40]).finish()
}

#[test]
fn the_fuzzers_deltas_make_their_model_or_are_refused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/delta");
    let targets = [
        ("step", model(1.000_3, "w")),
        ("large-step", model(1.7, "w")),
        ("renamed", model(1.0, "renamed")),
        ("text", b"text ".repeat(20)),
    ];
    if std::env::var_os("HEADWATER_BLESS").is_some() {
        std::fs::create_dir_all(&folder).unwrap();
        targets.iter().for_each(|(name, target)| {
            std::fs::write(folder.join(name), encode(&base(), target)).unwrap();
        });
    }
    let mut made = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let restored = apply(&base(), &std::fs::read(&path).unwrap(), &Limits::default());
        match targets.iter().find(|(of, _)| *of == name) {
            Some((_, target)) => assert_eq!(restored.as_ref(), Ok(target), "{name}"),
            None => assert!(restored.is_err(), "{name}"),
        }
        made += usize::from(restored.is_ok());
    }
    assert_eq!(made, targets.len());
}

#[test]
fn coded_tensors_are_decoded_whole_or_refused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/coded_tensor");
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let bad = path.file_name().unwrap().to_str().unwrap().starts_with("bad-");
        let [width, length, coded @ ..] = &bytes[..] else { panic!("{} is too short", path.display()) };
        let length = usize::from(*length) * 64;
        let decoded = Unpack::default().decode(coded, usize::from(*width), length);
        assert_eq!(decoded.is_err(), bad, "{}: {decoded:?}", path.display());
        assert!(decoded.is_err() || decoded.is_ok_and(|decoded| decoded.len() == length));
    }
}
