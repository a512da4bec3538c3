//! Promise: a model is fed what it takes, whatever the order of its axes and the type of its elements; where that is
//! not certain, it is refused with the setting that says it.

use headwater_features::{Extractor, InputSettings};
use headwater_image::Payload;
use headwater_onnx::{Dim, ElementType, GraphBuilder, ValueFacts};
use headwater_types::{Digest, Recipe};

use crate::support::{FEATURES, assert_close, expected, noise, open, open_as, options, picture, recipe};

fn named(name: &str, element: ElementType, dims: Vec<Dim>) -> ValueFacts {
    ValueFacts { name: name.into(), element: Some(element), dims: Some(dims) }
}

fn fixed(dims: &[u64]) -> Vec<Dim> {
    [Dim::symbol("N")].into_iter().chain(dims.iter().copied().map(Dim::Fixed)).collect()
}

/// The common model of these tests, with another input: float32, or float16 at both ends, or pixels, which it
/// normalises itself.
fn model(element: ElementType, dims: Vec<Dim>) -> Vec<u8> {
    let is_last = dims[3] == Dim::Fixed(3) || matches!(dims[1], Dim::Symbol(_));
    let mut graph = GraphBuilder::new("inputs");
    let to = [("to", ElementType::FLOAT32.0)];
    graph.input(&named("x", element, dims)).operator("Cast", &["x"], "floats", &to);
    graph.constant("mean", &[1], &[128.0]).operator("Sub", &["floats", "mean"], "centred", &[]);
    graph.operator("Div", &["centred", "mean"], "normal", &[]);
    let normal = if element == ElementType::UINT8 { "normal" } else { "floats" };
    match is_last {
        true => graph.transpose("images", normal, &[0, 3, 1, 2]),
        false => graph.operator("Identity", &[normal], "images", &[]),
    };
    graph.global_average_pool("pool", "images").flatten("flat", "pool");
    graph.constant("weight", &[FEATURES, 3], &noise(FEATURES * 3, 1));
    graph.constant("bias", &[FEATURES], &noise(FEATURES, 2)).gemm("whole", ["flat", "weight", "bias"]);
    let given = if element == ElementType::FLOAT16 { element } else { ElementType::FLOAT32 };
    graph.operator("Cast", &["whole"], "features", &[("to", given.0)]);
    graph.output(&named("features", given, fixed(&[FEATURES as u64]))).finish()
}

fn settings(layout: Option<&str>, input: Option<&str>) -> InputSettings {
    InputSettings::parse(layout, input).unwrap()
}

async fn features(extractor: &Extractor, sample: Payload) -> Vec<f32> {
    extractor.extract(sample).await.unwrap().features
}

#[tokio::test]
async fn orders_and_types_whose_meaning_is_certain_are_taken() {
    let one = vec![Dim::Fixed(1), Dim::Fixed(8), Dim::Fixed(8), Dim::Fixed(3)];
    let open_dims = ["n", "a", "b", "c"].map(Dim::symbol).to_vec();
    let (float, half) = (ElementType::FLOAT32, ElementType::FLOAT16);
    for (element, dims, tolerance) in [
        (float, fixed(&[8, 8, 3]), 1e-5),
        (float, one, 1e-5),
        (float, open_dims.clone(), 1e-5),
        (half, fixed(&[3, 8, 8]), 2e-3),
        (half, fixed(&[8, 8, 3]), 2e-3),
        (half, open_dims, 2e-3),
    ] {
        let bytes = model(element, dims.clone());
        let Some(opened) = open(&bytes, None, &options()) else { return };
        let extractor = opened.unwrap();
        assert_eq!((extractor.digest(), extractor.output()), (Digest::of(&bytes), "features"), "{dims:?}");
        for sample in [picture(3), picture(4)] {
            assert_close(&features(&extractor, sample.clone()).await, &expected(&sample), tolerance);
        }
    }
}

/// A recipe of the same size that leaves pixels as they are: from 0 to 255, or from 0 to 1.
fn raw_recipe(scale: &str) -> Recipe {
    Recipe::from_toml(&format!(
        "name = 'raw'\n[[stage]]\nop = 'decode'\n[[stage]]\nop = 'resize'\nsize = [8, 8]\n[[stage]]\n\
         op = 'to-tensor'\nscale = '{scale}'\n"
    ))
    .unwrap()
}

/// Pixels in, pixels out, one after the other.
fn pixels(dims: Vec<Dim>) -> Vec<u8> {
    let mut graph = GraphBuilder::new("pixels");
    graph.input(&named("x", ElementType::UINT8, dims)).flatten("flat", "x");
    graph.operator("Cast", &["flat"], "features", &[("to", ElementType::FLOAT32.0)]);
    graph.output(&named("features", ElementType::FLOAT32, fixed(&[192]))).finish()
}

#[tokio::test]
async fn a_model_of_bytes_gets_the_very_pixels_in_its_own_order() {
    let sample = picture(5);
    let Payload::Flipped(picture) = &sample else { panic!("not a picture") };
    let last: Vec<f32> = picture.pixels().iter().copied().map(f32::from).collect();
    let first: Vec<f32> = (0..3).flat_map(|colour| last.iter().skip(colour).step_by(3).copied()).collect();
    let said = settings(None, Some("uint8"));
    for (recipe, said) in [
        (raw_recipe("byte"), InputSettings::default()),
        (raw_recipe("unit"), InputSettings::default()),
        (recipe(), said),
    ] {
        for (dims, wanted) in [(fixed(&[3, 8, 8]), &first), (fixed(&[8, 8, 3]), &last)] {
            let Some(opened) = open_as(&pixels(dims), None, (recipe.clone(), said), &options()) else { return };
            assert_eq!(&features(&opened.unwrap(), sample.clone()).await, wanted, "{}", recipe.name());
        }
    }
}

#[test]
fn bytes_of_a_recipe_that_normalizes_have_to_be_insisted_on() {
    let bytes = model(ElementType::UINT8, fixed(&[8, 8, 3]));
    let Some(opened) = open(&bytes, None, &options()) else { return };
    let error = opened.unwrap_err().to_string();
    assert!(error.contains("recipe small normalizes pixels: add ,input=uint8"), "{error}");
}

#[tokio::test]
async fn a_model_that_normalizes_itself_gives_the_same_features() {
    let bytes = model(ElementType::UINT8, fixed(&[8, 8, 3]));
    let said = settings(None, Some("uint8"));
    let Some(opened) = open_as(&bytes, None, (recipe(), said), &options()) else { return };
    let extractor = opened.unwrap();
    assert_close(&features(&extractor, picture(6)).await, &expected(&picture(6)), 1e-5);
    assert_eq!(extractor.digest(), Digest::of(&said.written_into(bytes.clone()).unwrap()));
    // The settings travel in the file.
    let written = said.written_into(bytes).unwrap();
    let again = open(&written, None, &options()).unwrap().unwrap();
    assert_eq!(again.digest(), extractor.digest());
}

#[tokio::test]
async fn an_order_that_nothing_tells_is_refused_until_it_is_said() {
    let dims = ["n", "a", "b", "c"].map(Dim::symbol).to_vec();
    let bytes = pixels(dims);
    let recipe = || raw_recipe("byte");
    let Some(opened) = open_as(&bytes, None, (recipe(), InputSettings::default()), &options()) else { return };
    let error = opened.unwrap_err().to_string();
    assert!(error.contains("add ,layout=nchw or ,layout=nhwc"), "{error}");
    let sample = picture(7);
    let mut digests = Vec::new();
    for layout in ["nchw", "nhwc"] {
        let said = settings(Some(layout), None);
        let extractor = open_as(&bytes, None, (recipe(), said), &options()).unwrap().unwrap();
        let Payload::Flipped(picture) = &sample else { panic!("not a picture") };
        let is_as_stored = features(&extractor, sample.clone()).await[1] == f32::from(picture.pixels()[1]);
        assert_eq!(is_as_stored, layout == "nhwc");
        digests.push(extractor.digest());
    }
    assert_ne!(digests[0], digests[1], "what is fed otherwise is another model");
}

#[test]
fn settings_that_do_not_fit_the_file_are_refused() {
    for (layout, input, shown) in
        [(Some("nchw"), None, "layout=nchw does not fit x"), (None, Some("uint8"), "input=uint8 does not fit x")]
    {
        let bytes = model(ElementType::FLOAT32, fixed(&[8, 8, 3]));
        let said = settings(layout, input);
        let Some(opened) = open_as(&bytes, None, (recipe(), said), &options()) else { return };
        let error = opened.unwrap_err().to_string();
        assert!(error.contains(shown), "{error}");
    }
}
