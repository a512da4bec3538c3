//! Promise 1: same tensors at every cut, on every server, after every retry.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use std::collections::BTreeMap;
use std::path::Path;

use headwater_tests::{Array, Data, Fetched, Hostile, Server, ServerOptions, fetch};
use serde_json::Value;
use tempfile::TempDir;

const CUTS: [&str; 6] = ["encoded", "decoded", "cropped", "flipped", "tensor", "normalized"];

fn pixels(servers: &[&Server], cut: &str, epoch: &str, recipe: &str) -> Fetched {
    let out = TempDir::new().unwrap();
    let servers: Vec<_> = servers.iter().map(|server| server.address()).collect();
    fetch(&servers, out.path(), &["--recipe", recipe, "--cut", cut, "--seed", "7", "--epoch", epoch]).unwrap()
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

fn check_all_cuts(folder: &Path, least: usize) {
    let server = ServerOptions::new(folder).start().unwrap();
    for epoch in ["0", "1"] {
        let reference = pixels(&[&server], "normalized", epoch, "imagenet-train");
        assert!(reference.arrays.len() >= least, "only {} samples decoded", reference.arrays.len());
        for cut in &CUTS[..5] {
            let other = pixels(&[&server], cut, epoch, "imagenet-train");
            assert_same(&reference, &other, &format!("cut {cut}, epoch {epoch}"));
        }
    }
}

#[test]
fn awkward_files_give_the_same_bits_at_every_cut() {
    let hostile = Hostile::new().unwrap();
    check_all_cuts(&hostile.folder, 18);
}

#[test]
fn photos_give_the_same_bits_at_every_cut() {
    let data = Data::photos().unwrap();
    check_all_cuts(&data.photos, 150);
}

#[test]
fn evaluation_recipes_give_the_same_bits_at_every_cut() {
    let data = Data::photos().unwrap();
    let server = ServerOptions::new(&data.photos).start().unwrap();
    for recipe in ["imagenet-eval", "mobilenet-eval"] {
        let reference = pixels(&[&server], "normalized", "0", recipe);
        for cut in ["encoded", "decoded", "flipped"] {
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
