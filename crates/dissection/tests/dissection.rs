//! A small network and generated photos at every cut, with a real ONNX Runtime where one is found.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use headwater_dissection::{Dissection, DissectionError, Dissector, Origin, Photos};
use headwater_features::Runtime;
use headwater_onnx::graph::Window;
use headwater_onnx::{Dim, GraphBuilder, ValueFacts};
use headwater_plan::partition::CutCosts;
use headwater_types::Recipe;

const RECIPE: &str = "name = 'small'\n[[stage]]\nop = 'decode'\n[[stage]]\nop = 'resize'\nsize = [8, 8]\n[[stage]]\n\
                      op = 'to-tensor'\nscale = 'unit'\n";

/// ONNX Runtime; where there is none, a line is printed.
fn runtime() -> Option<Arc<Runtime>> {
    Runtime::load(None).inspect_err(|error| println!("skipped: {error}")).ok()
}

/// Images `[N, 3, 8, 8]` to `features`: two convolutions, of which nothing states a shape.
fn network(batch: &Dim) -> Vec<u8> {
    let mut graph = GraphBuilder::new("small");
    let dims = |rest: &[u64]| -> Vec<Dim> {
        std::iter::once(batch.clone()).chain(rest.iter().copied().map(Dim::Fixed)).collect()
    };
    graph.input(&ValueFacts::float32("input", &dims(&[3, 8, 8])));
    let weights: Vec<f32> = (0..108).map(|at| (at % 7) as f32 / 20.0 - 0.1).collect();
    graph.constant("w", &[4, 3, 3, 3], &weights).constant("b", &[4], &[0.1; 4]);
    graph.constant("v", &[5, 4, 1, 1], &weights[..20]).constant("c", &[5], &[0.2; 5]);
    graph.conv("first", ["input", "w", "b"], Window { kernel: 3, stride: 2, pad: 1 }, 1).relu("narrow", "first");
    graph.conv("second", ["narrow", "v", "c"], Window { kernel: 1, stride: 1, pad: 0 }, 1).relu("wide", "second");
    graph.global_average_pool("pool", "wide").flatten("features", "pool");
    graph.output(&ValueFacts::float32("features", &dims(&[5])));
    graph.finish()
}

/// Photos without loss, as PNM has them, and a file that is none.
fn photos() -> Photos {
    let photo = |seed: usize| {
        let pixels = (0..16 * 12 * 3).map(|at| (at * seed % 251) as u8);
        ("photo".to_owned(), b"P6 16 12 255\n".iter().copied().chain(pixels).collect::<Vec<_>>().into())
    };
    let mut files: Vec<_> = [3, 5, 7].map(photo).into();
    files.push(("notes".to_owned(), "no photo".into()));
    Photos { files, origin: Origin::Folder }
}

fn dissect(onnx: &[u8], photos: &Photos, at: Option<&[String]>) -> Option<Result<Dissection, DissectionError>> {
    let (runtime, recipe, steps) = (runtime()?, Recipe::from_toml(RECIPE).unwrap(), AtomicU64::new(0));
    let dissector = Dissector {
        runtime: &runtime,
        onnx,
        outputs: &["features".to_owned()],
        recipe: &recipe,
        photos,
        batches: &[1, 4],
        within: Duration::from_millis(2),
        at,
        on_progress: &|done, total| {
            assert!(done <= total && done == steps.fetch_add(1, Ordering::Relaxed) + 1, "{done} of {total}");
        },
    };
    let dissected = dissector.dissect();
    assert!(dissected.is_err() || steps.load(Ordering::Relaxed) > 4);
    Some(dissected)
}

fn cut<'a>(of: &'a Dissection, name: &str) -> &'a CutCosts {
    let found = of.cuts.iter().find(|cut| cut.cut == name);
    assert!(found.is_some(), "no {name}: {:?}", of.cuts);
    found.unwrap()
}

#[test]
fn every_cut_is_measured_from_the_photo_to_the_features() {
    let Some(dissected) = dissect(&network(&Dim::symbol("N")), &photos(), None) else { return };
    let of = dissected.unwrap();
    assert_eq!((of.photos, of.photos_failed, of.not_searched), (3, 1, 0));
    let encoded = cut(&of, "encoded");
    assert_eq!((encoded.bytes, encoded.server_seconds), (589.0, 0.0));
    assert!(encoded.tuner_seconds > 0.0 && encoded.tensor.is_none());
    assert_eq!(cut(&of, "cropped").bytes, 192.0);
    let network: Vec<_> = of.cuts.iter().filter_map(|cut| cut.tensor.as_deref()).collect();
    assert_eq!(network, ["narrow", "wide"]);
    let narrow = cut(&of, "narrow");
    assert_eq!((narrow.bytes, &narrow.tensors[0].shape[..]), (256.0, &[1, 4, 4, 4][..]));
    assert_eq!(narrow.tensors[0].element, "float32");
    assert!(narrow.coded_bytes.is_some_and(|coded| coded > 0.0 && coded <= 256.0));
    assert_eq!(narrow.batches.iter().map(|batch| batch.batch).collect::<Vec<_>>(), [1, 4]);
    assert!(narrow.server_seconds > 0.0 && narrow.tuner_seconds > 0.0);
    // The input's 768 bytes, 256 of the convolution and as many of the rectifier, which may be one.
    assert_eq!(narrow.memory.image, 1024);
    let features = cut(&of, "features");
    assert_eq!((features.bytes, features.tuner_seconds, features.tensors[0].shape[1]), (20.0, 0.0, 5));
    let left_out: Vec<_> = of.not_measured.iter().map(|left_out| left_out.tensor.as_str()).collect();
    assert_eq!(left_out, ["jpeg-crop"], "{:?}", of.not_measured);
    assert!(of.halves.is_none());
}

#[test]
fn a_network_of_one_image_runs_one_at_a_time() {
    let Some(dissected) = dissect(&network(&Dim::Fixed(1)), &photos(), None) else { return };
    let of = dissected.unwrap();
    assert!(cut(&of, "wide").batches.iter().all(|batch| batch.batch == 1));
}

#[test]
fn one_cut_alone_gives_its_halves_and_what_is_no_cut_is_refused() {
    let (onnx, photos) = (network(&Dim::symbol("N")), photos());
    let Some(dissected) = dissect(&onnx, &photos, Some(&["wide".to_owned()])) else { return };
    let of = dissected.unwrap();
    let halves = of.halves.as_ref().unwrap();
    assert!(halves.front.len() > halves.back.len() && halves.front.len() < onnx.len() + 100);
    assert_eq!(of.cuts.iter().filter(|cut| cut.tensor.is_some()).count(), 1);
    let error = dissect(&onnx, &photos, Some(&["first".to_owned()])).unwrap().unwrap_err().to_string();
    assert!(error.contains("\"first\"") && error.contains("narrow, wide"), "{error}");
}

#[test]
fn without_a_photo_that_can_be_read_nothing_is_measured() {
    let none = Photos { files: vec![("notes".to_owned(), "no photo".into())], origin: Origin::Folder };
    let Some(dissected) = dissect(&network(&Dim::symbol("N")), &none, None) else { return };
    let error = dissected.unwrap_err().to_string();
    assert!(error.contains("none of the 1 photos") && error.contains("notes"), "{error}");
}
