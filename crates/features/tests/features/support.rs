//! The runtime, small models, and the shared test data.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use headwater_features::{Extractor, ExtractorOptions, InputSettings, ModelError, ModelSpec, Runtime};
use headwater_image::{Payload, Rgb8};
use headwater_onnx::graph::Window;
use headwater_onnx::{Dim, GraphBuilder, ValueFacts};
use headwater_types::{Recipe, Size};

/// ONNX Runtime; where there is none, a line is printed.
pub(crate) fn runtime() -> Option<Arc<Runtime>> {
    match Runtime::load(None) {
        Ok(runtime) => Some(runtime),
        Err(error) => {
            println!("skipped: {error}");
            None
        }
    }
}

/// The folder of shared models; where it is missing, a line is printed.
pub(crate) fn shared_models() -> Option<PathBuf> {
    let given = std::env::var_os("HEADWATER_TEST_DATA").map(PathBuf::from);
    let data = given.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"));
    let models = data.join("models");
    if models.is_dir() {
        println!("using {}", models.display());
        return Some(models);
    }
    println!("skipped: no {}", models.display());
    None
}

pub(crate) const SIDE: u32 = 8;
const SIDE_USIZE: usize = SIDE as usize;
pub(crate) const FEATURES: usize = 5;

/// A recipe that gives tensors of [`SIDE`] with values from -1 to 1.
pub(crate) fn recipe() -> Recipe {
    Recipe::from_toml(&format!(
        "name = 'small'\n[[stage]]\nop = 'decode'\n[[stage]]\nop = 'resize'\nsize = [{SIDE}, {SIDE}]\n[[stage]]\n\
         op = 'to-tensor'\nscale = 'byte'\n[[stage]]\nop = 'normalize'\nmean = [128.0, 128.0, 128.0]\n\
         std = [128.0, 128.0, 128.0]\n"
    ))
    .unwrap()
}

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

/// A picture that looks like noise.
pub(crate) fn picture(seed: u32) -> Payload {
    let pixels = noise(3 * SIDE_USIZE * SIDE_USIZE, seed).iter().map(|v| (v * 127.0 + 128.0) as u8).collect();
    Payload::Flipped(Rgb8::new(Size { width: SIDE, height: SIDE }, pixels).unwrap())
}

/// The tensor that [`recipe`] makes of a picture, and the features that [`model`] makes of that: written out.
pub(crate) fn expected(payload: &Payload) -> Vec<f32> {
    let Payload::Flipped(picture) = payload else { panic!("not a picture") };
    let plane = SIDE_USIZE * SIDE_USIZE;
    let mut sums = [0_f64; 3];
    picture.pixels().chunks(3).for_each(|pixel| (0..3).for_each(|c| sums[c] += (f64::from(pixel[c]) - 128.0) / 128.0));
    let means = sums.map(|sum| sum / plane as f64);
    let (weights, bias) = (noise(FEATURES * 3, 1), noise(FEATURES, 2));
    (0..FEATURES)
        .map(|f| (f64::from(bias[f]) + (0..3).map(|c| f64::from(weights[3 * f + c]) * means[c]).sum::<f64>()) as f32)
        .collect()
}

/// Pictures `[batch, 3, 8, 8]` to the mean of each channel, to `features`; and to a second output, `other`.
pub(crate) fn model(batch: &Dim, outputs: &[&str]) -> Vec<u8> {
    let mut graph = GraphBuilder::new("small");
    graph.input(&ValueFacts::float32("input", &[batch.clone(), Dim::Fixed(3), Dim::Fixed(8), Dim::Fixed(8)]));
    graph.global_average_pool("pool", "input").flatten("flat", "pool");
    graph.constant("weight", &[FEATURES, 3], &noise(FEATURES * 3, 1)).constant(
        "bias",
        &[FEATURES],
        &noise(FEATURES, 2),
    );
    graph.gemm("features", ["flat", "weight", "bias"]).relu("other", "features");
    for output in outputs {
        graph.output(&ValueFacts::float32(output, &[batch.clone(), Dim::Fixed(FEATURES as u64)]));
    }
    graph.finish()
}

/// A model whose convolution takes two workers a while.
pub(crate) fn slow_model() -> Vec<u8> {
    let mut graph = GraphBuilder::new("slow");
    let dims = [Dim::symbol("N"), Dim::Fixed(3), Dim::Fixed(8), Dim::Fixed(8)];
    graph.input(&ValueFacts::float32("input", &dims));
    let window = Window { kernel: 3, stride: 1, pad: 1 };
    graph.constant("w0", &[64, 3, 3, 3], &noise(64 * 27, 1)).constant("b0", &[64], &noise(64, 2));
    graph.conv("c0", ["input", "w0", "b0"], window, 1);
    // The root of the sum of so many squares: however many layers there are, their values stay as large.
    let weights: Vec<f32> = noise(64 * 64 * 9, 3).iter().map(|weight| weight / 14.0).collect();
    graph.constant("w", &[64, 64, 3, 3], &weights).constant("b", &[64], &noise(64, 4));
    for layer in 0..40 {
        graph.conv(&format!("c{}", layer + 1), [&format!("c{layer}"), "w", "b"], window, 1);
    }
    graph.global_average_pool("features", "c40");
    graph.output(&ValueFacts::float32("features", &[Dim::symbol("N"), Dim::Fixed(64), Dim::Fixed(1), Dim::Fixed(1)]));
    graph.finish()
}

pub(crate) fn options() -> ExtractorOptions {
    ExtractorOptions {
        threads: NonZeroUsize::new(2).unwrap(),
        max_batch: NonZeroUsize::new(4),
        ..ExtractorOptions::default()
    }
}

/// Opens bytes as a model of [`recipe`].
pub(crate) fn open(
    bytes: &[u8],
    output: Option<&str>,
    options: &ExtractorOptions,
) -> Option<Result<Extractor, ModelError>> {
    open_as(bytes, output, (recipe(), InputSettings::default()), options)
}

/// Opens bytes as a model of a recipe, with settings of its input.
pub(crate) fn open_as(
    bytes: &[u8],
    output: Option<&str>,
    (recipe, input): (Recipe, InputSettings),
    options: &ExtractorOptions,
) -> Option<Result<Extractor, ModelError>> {
    let runtime = runtime()?;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    std::fs::write(&path, bytes).unwrap();
    let spec = ModelSpec {
        name: "small".parse().unwrap(),
        path,
        recipe: recipe.name().to_string(),
        output: output.map(str::to_owned),
        classes: None,
        input,
    };
    Some(Extractor::open(&runtime, &spec, recipe, options))
}

/// A model with a dynamic batch, as it should be.
pub(crate) fn small(options: &ExtractorOptions) -> Option<Extractor> {
    Some(open(&model(&Dim::symbol("N"), &["features"]), None, options)?.unwrap())
}

#[track_caller]
pub(crate) fn assert_close(left: &[f32], right: &[f32], tolerance: f32) {
    assert_eq!(left.len(), right.len());
    let worst = left.iter().zip(right).map(|(l, r)| (l - r).abs()).fold(0.0, f32::max);
    assert!(worst <= tolerance, "they differ by up to {worst}");
}
