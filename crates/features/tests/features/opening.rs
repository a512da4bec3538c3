//! Promise: a model that cannot be served is refused at the start, with the reason and the remedy.

use headwater_features::{Device, Devices, ExtractorOptions, Gpu, ModelError, Precision, Runtime, RuntimeError};
use headwater_onnx::{Dim, GraphBuilder, OnnxError, ValueFacts};
use headwater_types::{ByteCount, Digest};

use crate::support::{FEATURES, assert_close, expected, model, open, options, picture, runtime};

fn dynamic() -> Dim {
    Dim::symbol("N")
}

#[tokio::test]
async fn the_output_is_the_named_one_else_features_else_the_only_one() {
    let both = model(&dynamic(), &["features", "other"]);
    for (bytes, named, chosen) in
        [(&both, None, "features"), (&both, Some("other"), "other"), (&model(&dynamic(), &["other"]), None, "other")]
    {
        let Some(opened) = open(bytes, named, &options()) else { return };
        let extractor = opened.unwrap();
        assert_eq!((extractor.output(), extractor.feature_len()), (chosen, FEATURES));
        assert_eq!(extractor.digest(), Digest::of(bytes));
        let sample = picture(7);
        let mut wanted = expected(&sample);
        if chosen == "other" {
            wanted.iter_mut().for_each(|value| *value = value.max(0.0));
        }
        assert_close(&extractor.extract(sample).await.unwrap().features, &wanted, 1e-5);
    }
    let error = open(&both, Some("nonsense"), &options()).unwrap().unwrap_err().to_string();
    assert_eq!(error, "model small: the model has no output \"nonsense\": it has features, other");
    let error = open(&model(&dynamic(), &["other", "flat"]), None, &options()).unwrap().unwrap_err().to_string();
    assert!(error.contains("other float32 [N, 5]; flat float32 [N, 5]"), "{error}");
}

#[tokio::test]
async fn a_model_for_one_sample_is_run_one_by_one_and_other_fixed_batches_are_refused() {
    let Some(opened) = open(&model(&Dim::Fixed(1), &["features"]), None, &options()) else { return };
    let extractor = opened.unwrap();
    assert_eq!(extractor.max_batch().get(), 1);
    let (one, two) = tokio::join!(extractor.extract(picture(1)), extractor.extract(picture(2)));
    assert_close(&one.unwrap().features, &expected(&picture(1)), 1e-5);
    assert_close(&two.unwrap().features, &expected(&picture(2)), 1e-5);
    let error = open(&model(&Dim::Fixed(4), &["features"]), None, &options()).unwrap().unwrap_err();
    assert!(matches!(error, ModelError::FixedBatch { batch: 4, .. }), "{error}");
}

#[test]
fn a_batch_size_is_measured_where_none_is_given() {
    let measured = ExtractorOptions { max_batch: None, ..options() };
    let Some(opened) = open(&model(&dynamic(), &["features"]), None, &measured) else { return };
    let extractor = opened.unwrap();
    assert!([1, 2, 4, 8, 16, 32].contains(&extractor.max_batch().get()));
    assert_eq!(extractor.pool(), None, "a core's time is counted as it is used");
}

#[test]
fn inputs_that_the_recipe_does_not_give_are_refused() {
    for dims in [
        vec![dynamic(), Dim::Fixed(3), Dim::Fixed(9), Dim::Fixed(8)],
        vec![dynamic(), Dim::Fixed(1), Dim::Fixed(8), Dim::Fixed(8)],
        vec![dynamic(), Dim::Fixed(3), Dim::Fixed(64)],
    ] {
        let mut graph = GraphBuilder::new("odd");
        graph.input(&ValueFacts::float32("x", &dims)).relu("y", "x");
        graph.output(&ValueFacts::float32("y", &dims));
        let Some(opened) = open(&graph.finish(), None, &options()) else { return };
        let error = opened.unwrap_err().to_string();
        assert!(
            error.contains("one input [N, 3, 8, 8] or [N, 8, 8, 3]") && error.contains("small gives: it has x float32"),
            "{error}"
        );
    }
}

#[test]
fn hostile_files_never_reach_the_runtime() {
    let good = model(&dynamic(), &["features"]);
    for bytes in [&[][..], b"\x89PNG\r\n\x1a\n", &good[..good.len() / 2], &[0xff; 4096]] {
        let Some(opened) = open(bytes, None, &options()) else { return };
        assert!(matches!(opened, Err(ModelError::Onnx { .. })), "{opened:?}");
    }
    let small = ExtractorOptions { max_model: ByteCount::new(100), ..options() };
    assert!(matches!(open(&good, None, &small).unwrap(), Err(ModelError::TooLarge { .. })));
    // It passes every check but the runtime's own: a matrix product of sizes that do not fit.
    let mut graph = GraphBuilder::new("wrong");
    let dims = [dynamic(), Dim::Fixed(3), Dim::Fixed(8), Dim::Fixed(8)];
    graph.input(&ValueFacts::float32("input", &dims)).flatten("flat", "input");
    graph.constant("w", &[2, 7], &[0.0; 14]).constant("b", &[2], &[0.0; 2]).gemm("features", ["flat", "w", "b"]);
    graph.output(&ValueFacts::float32("features", &[dynamic(), Dim::Fixed(2)]));
    let error = open(&graph.finish(), None, &options()).unwrap().unwrap_err();
    assert!(matches!(error, ModelError::Runtime { .. }), "{error}");
}

#[test]
fn weights_that_are_not_beside_the_model_are_refused() {
    let refusal = |entries: &[(&str, &str)]| {
        let mut graph = GraphBuilder::new("outside");
        graph.outside("w", &[2], entries);
        Some(open(&graph.finish(), None, &options())?.unwrap_err())
    };
    let Some(error) = refusal(&[]) else { return };
    assert!(matches!(&error, ModelError::Onnx { source: OnnxError::ExternalPlace { .. }, .. }), "{error}");
    let error = refusal(&[("location", "model.onnx.data")]).unwrap();
    assert!(matches!(&error, ModelError::Data { .. }), "{error}");
    assert!(error.to_string().contains("model.onnx.data, in which tensor \"w\" has its data"), "{error}");
}

#[test]
fn a_missing_file_is_named() {
    let Some(runtime) = runtime() else { return };
    let spec = "small=/nonexistent/model.onnx,recipe=small".parse().unwrap();
    let error = headwater_features::Extractor::open(&runtime, &spec, crate::support::recipe(), &options()).unwrap_err();
    assert!(error.to_string().starts_with("model small: cannot read /nonexistent/model.onnx: "), "{error}");
}

/// The library for the CPU, or a machine without a GPU. Where there is one, the device must work.
#[tokio::test]
async fn a_device_that_is_not_there_is_an_error_and_never_the_cpu() {
    for device in [Device::Cuda(Gpu(0)), Device::TensorRt(Gpu(0)), Device::Cuda(Gpu(3))] {
        let options = ExtractorOptions { devices: device.into(), ..options() };
        let Some(opened) = open(&model(&dynamic(), &["features"]), None, &options) else { return };
        match opened {
            Err(error) => {
                assert!(matches!(&error, ModelError::Device { .. }), "{error}");
                let message = error.to_string();
                println!("{message}");
                assert!(message.starts_with(&format!("model small cannot run on {device}: ")), "{message}");
                assert!(message.contains("pip install onnxruntime-gpu==1.31.1"), "{message}");
                assert!(message.contains("; missing here: "), "{message}");
            }
            Ok(extractor) => {
                println!("this machine has {device}");
                let extracted = extractor.extract(picture(3)).await.unwrap();
                assert_close(&extracted.features, &expected(&picture(3)), 1e-3);
            }
        }
    }
}

#[test]
fn a_precision_that_devices_do_not_have_is_refused() {
    for devices in ["cpu", "cuda:0,cuda:1"] {
        let devices: Devices = devices.parse().unwrap();
        let options = ExtractorOptions { devices, precision: Precision::Fp16, ..options() };
        let Some(opened) = open(&model(&dynamic(), &["features"]), None, &options) else { return };
        let error = opened.unwrap_err();
        assert!(matches!(error, ModelError::Precision { .. }), "{error}");
    }
}

#[test]
fn the_runtime_is_loaded_once_and_another_is_refused() {
    let Some(runtime) = runtime() else { return };
    let again = Runtime::load(None).unwrap();
    assert_eq!(again.library(), runtime.library());
    let error = Runtime::load(Some("/nonexistent/libonnxruntime.so".as_ref())).unwrap_err();
    assert!(matches!(error, RuntimeError::AlreadyLoaded { .. }), "{error}");
}
