//! A sample's tensor is the same at every cut, on every server, and after every retry.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use std::collections::BTreeMap;
use std::path::Path;

use headwater_tests::{Array, Data, Fetched, Hostile, Server, ServerOptions, fetch};
use serde_json::Value;
use tempfile::TempDir;

/// Every cut, and every way in which its samples travel. The first is done by the servers alone. A cut that comes twice
/// comes the second time from what the servers have kept of the first.
const WAYS: [&[&str]; 14] = [
    &["normalized", "--wire-floats"],
    &["normalized"],
    &["normalized", "--pixels", "lossless"],
    &["tensor", "--wire-floats"],
    &["tensor", "--pixels", "lossless"],
    &["flipped"],
    &["flipped", "--pixels", "lossless"],
    &["cropped"],
    &["cropped", "--pixels", "lossless"],
    &["decoded"],
    &["encoded"],
    &["jpeg-crop"],
    &["jpeg-crop"],
    &["decoded", "--pixels", "lossless"],
];

fn pixels(servers: &[&Server], cut: &str, epoch: &str, recipe: &str) -> Fetched {
    travelled(servers, &[cut], epoch, recipe)
}

/// Samples that come in this way: the cut and what else is asked for.
fn travelled(servers: &[&Server], way: &[&str], epoch: &str, recipe: &str) -> Fetched {
    let out = TempDir::new().unwrap();
    let servers: Vec<_> = servers.iter().map(|server| server.address()).collect();
    let draws = ["--recipe", recipe, "--seed", "7", "--epoch", epoch, "--cut"];
    fetch(&servers, out.path(), &[&draws, way].concat()).unwrap()
}

/// Arrays and what is said of them by key: with two servers the indices are others.
fn by_key(fetched: &Fetched) -> BTreeMap<String, (Option<Array>, Value)> {
    let describe = |(index, sample): (&u64, &Value)| {
        let mut sample = sample.clone();
        let key = sample["key"].as_str().unwrap().to_owned();
        sample.as_object_mut().unwrap().remove("index");
        if let Some(error) = sample["error"].as_object_mut() {
            // In other words where a client, not a server, finds that a photo is broken.
            error.remove("message");
        }
        (key, (fetched.arrays.get(index).cloned(), sample))
    };
    fetched.samples.iter().map(describe).collect()
}

fn assert_same(a: &Fetched, b: &Fetched, what: &str) {
    let (a, b) = (by_key(a), by_key(b));
    assert_eq!(a.len(), b.len(), "{what}");
    for (key, value) in &a {
        assert_eq!(Some(value), b.get(key), "{key}: {what}");
    }
}

fn check_all_ways(folder: &Path, least: usize) {
    let server = ServerOptions::new(folder).start().unwrap();
    for epoch in ["0", "1"] {
        let reference = travelled(&[&server], WAYS[0], epoch, "imagenet-train");
        assert!(reference.arrays.len() >= least, "only {} samples decoded", reference.arrays.len());
        for way in &WAYS[1..] {
            let other = travelled(&[&server], way, epoch, "imagenet-train");
            assert_same(&reference, &other, &format!("{way:?}, epoch {epoch}"));
        }
    }
}

#[test]
fn awkward_files_give_the_same_bits_however_they_travel() {
    let hostile = Hostile::new().unwrap();
    check_all_ways(&hostile.folder, 18);
}

#[test]
fn photos_give_the_same_bits_however_they_travel() {
    let data = Data::photos().unwrap();
    check_all_ways(&data.photos, 150);
}

#[test]
fn evaluation_recipes_give_the_same_bits_at_every_cut() {
    let data = Data::photos().unwrap();
    let server = ServerOptions::new(&data.photos).start().unwrap();
    let folder = TempDir::new().unwrap();
    let two_steps = folder.path().join("two-steps.toml");
    let text = include_str!("../../profiles/recipes/imagenet-eval.toml");
    std::fs::write(&two_steps, text.replace("size = 224", "size = 224\nexact = \"two-step\"")).unwrap();
    for recipe in ["imagenet-eval", "mobilenet-eval", two_steps.to_str().unwrap()] {
        let reference = pixels(&[&server], "normalized", "0", recipe);
        for cut in ["encoded", "jpeg-crop", "decoded", "flipped"] {
            assert_same(&reference, &pixels(&[&server], cut, "0", recipe), &format!("{recipe}, cut {cut}"));
        }
        assert_same(&reference, &pixels(&[&server], "normalized", "5", recipe), "an evaluation draws nothing");
    }
}

#[test]
fn photos_that_are_decoded_fast_give_the_same_bits_at_every_cut() {
    let data = Data::photos().unwrap();
    let folder = TempDir::new().unwrap();
    // So small that most crops here are decoded at a half or a quarter of their size.
    let text = include_str!("../../profiles/recipes/imagenet-train-fast.toml").replace("224", "64");
    let recipe = folder.path().join("fast.toml");
    std::fs::write(&recipe, &text).unwrap();
    let exact = folder.path().join("exact.toml");
    std::fs::write(&exact, text.replace("\"fast\"", "\"exact\"")).unwrap();
    let server = ServerOptions::new(&data.photos).start().unwrap();
    let fetch = |cut: &str, recipe: &Path| pixels(&[&server], cut, "0", recipe.to_str().unwrap());
    let reference = fetch("normalized", &recipe);
    for cut in ["encoded", "jpeg-crop", "decoded", "cropped", "flipped"] {
        assert_same(&reference, &fetch(cut, &recipe), &format!("fast, cut {cut}"));
    }
    let exact = fetch("normalized", &exact);
    let scaled = reference.arrays.iter().filter(|(index, array)| exact.arrays[index] != **array).count();
    assert!(scaled * 2 > exact.arrays.len(), "{scaled} of {} differ", exact.arrays.len());
}

/// Bicubic reads further around its crop than bilinear: a piece of a photo has to hold that, too.
#[test]
fn bicubic_recipes_give_the_same_bits_at_every_cut() {
    let data = Data::photos().unwrap();
    let folder = TempDir::new().unwrap();
    let server = ServerOptions::new(&data.photos).start().unwrap();
    for (text, stage) in [
        (include_str!("../../profiles/recipes/imagenet-train.toml"), "random-resized-crop"),
        (include_str!("../../profiles/recipes/imagenet-train-fast.toml"), "random-resized-crop"),
        (include_str!("../../profiles/recipes/imagenet-eval.toml"), "resize"),
        (include_str!("../../profiles/recipes/mobilenet-eval.toml"), "resize"),
    ] {
        let bilinear = folder.path().join("bilinear.toml");
        std::fs::write(&bilinear, text).unwrap();
        let bicubic = folder.path().join("bicubic.toml");
        let op = format!("op = \"{stage}\"");
        std::fs::write(&bicubic, text.replace(&op, &format!("{op}\ninterpolation = \"bicubic\""))).unwrap();
        let fetch = |cut: &str, recipe: &Path| pixels(&[&server], cut, "0", recipe.to_str().unwrap());
        let reference = fetch("normalized", &bicubic);
        for cut in ["encoded", "jpeg-crop", "decoded", "cropped", "flipped"] {
            assert_same(&reference, &fetch(cut, &bicubic), &format!("{stage}, bicubic, cut {cut}"));
        }
        let bilinear = fetch("normalized", &bilinear);
        let moved = reference.arrays.iter().filter(|(index, array)| bilinear.arrays[index] != **array).count();
        assert_eq!(moved, bilinear.arrays.len(), "{stage}: bicubic is another picture");
    }
}

#[test]
fn epochs_and_seeds_give_other_tensors() {
    let data = Data::photos().unwrap();
    let server = ServerOptions::new(&data.photos).start().unwrap();
    let [first, second] = ["0", "1"].map(|epoch| pixels(&[&server], "flipped", epoch, "imagenet-train"));
    let moved = first.arrays.iter().filter(|(index, array)| second.arrays[index] != **array).count();
    assert!(moved * 100 > first.arrays.len() * 99, "{moved} of {} differ", first.arrays.len());
}

#[test]
fn two_servers_and_a_restart_change_nothing() {
    let data = Data::photos().unwrap();
    let whole = ServerOptions::new(&data.photos).start().unwrap();
    let half = |part: &str| ServerOptions::new(&data.photos).arg("--partition").arg(part).start().unwrap();
    let (one, two) = (half("1/2"), half("2/2"));
    let reference = pixels(&[&whole], "cropped", "3", "imagenet-train");
    assert_same(&reference, &pixels(&[&one, &two], "decoded", "3", "imagenet-train"), "two servers");
    let whole = whole.restart().unwrap();
    let two = two.restart().unwrap();
    assert_same(&reference, &pixels(&[&whole], "cropped", "3", "imagenet-train"), "a restart");
    assert_same(&reference, &pixels(&[&two, &one], "encoded", "3", "imagenet-train"), "another order of servers");
}

/// Photos of every kind that the fuzzers begin with: turned by EXIF, progressive, grey, CMYK; and one of each other
/// format at least.
#[test]
fn every_kind_of_photo_is_cropped_as_a_jpeg_or_comes_whole_and_says_which() {
    let scratch = TempDir::new().unwrap();
    let recipe = scratch.path().join("upright.toml");
    let text = include_str!("../../profiles/recipes/imagenet-train.toml");
    let upright = text.replace("op = \"decode\"", "op = \"decode\"\norientation = \"exif\"");
    std::fs::write(&recipe, upright.replace("imagenet-train", "upright")).unwrap();
    let photos = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/image_decode");
    let server = ServerOptions::new(&photos).start().unwrap();
    for recipe in ["imagenet-train", &recipe.display().to_string()] {
        let reference = travelled(&[&server], WAYS[0], "0", recipe);
        assert!(reference.arrays.len() >= 35, "only {} decoded", reference.arrays.len());
        for way in &WAYS[1..] {
            assert_same(&reference, &travelled(&[&server], way, "0", recipe), &format!("{recipe}, {way:?}"));
        }
        let crops = travelled(&[&server], &["jpeg-crop", "--wire-bytes"], "0", recipe);
        let came = |key: &str| {
            let sample = crops.samples.values().find(|sample| sample["key"] == key).unwrap();
            assert!(sample["wire_bytes"].as_u64().unwrap() > 0, "{sample}");
            sample["wire_cut"].as_str().unwrap().to_owned()
        };
        for key in ["baseline.jpg", "progressive.jpg", "grey.jpg", "restarts.jpg", "turned.jpg"] {
            assert_eq!(came(key), "jpeg-crop", "{key}");
        }
        for key in
            ["cmyk.jpg", "rgb.png", "lossy.webp", "tiles.tif", "turned.tif", "runs8.bmp", "binary.ppm", "frames.gif"]
        {
            assert_eq!(came(key), "encoded", "{key}");
        }
    }
}

#[test]
fn what_travels_lighter_is_said_and_counted() {
    let data = Data::photos().unwrap();
    let server = ServerOptions::new(&data.photos).start().unwrap();
    let wire = |way: &[&str]| {
        let fetched = travelled(&[&server], &[way, &["--wire-bytes"]].concat(), "0", "imagenet-train");
        let sum: u64 = fetched.samples.values().map(|sample| sample["wire_bytes"].as_u64().unwrap()).sum();
        assert_eq!(fetched.summary["wire_bytes"], sum);
        assert!(fetched.summary["bytes_received"].as_u64().unwrap() > sum);
        (sum, fetched.summary["wire"].clone())
    };
    let (floats, as_floats) = wire(&["normalized", "--wire-floats"]);
    let (raw, as_pixels) = wire(&["normalized"]);
    let (lossless, coded) = wire(&["normalized", "--pixels", "lossless"]);
    assert_eq!(floats, 4 * raw);
    assert!(lossless * 4 < raw * 3, "{lossless} of {raw}");
    assert_eq!((&as_floats[0]["cut"], &as_floats[0]["coding"]), (&"normalized".into(), &Value::Null));
    assert_eq!((&as_pixels[0]["cut"], &as_pixels[0]["coding"]), (&"flipped".into(), &"raw".into()));
    assert!(coded.as_array().unwrap().iter().any(|kind| kind["coding"] == "lossless"), "{coded}");
    let (crops, _) = wire(&["jpeg-crop"]);
    let (files, _) = wire(&["encoded"]);
    assert!(crops < files, "{crops} of {files}");
}
