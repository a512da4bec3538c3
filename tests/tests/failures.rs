//! Where most photos fail, no program ends as if all were well: failures are counted by kind, with their first keys.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use std::fs;
use std::path::{Path, PathBuf};

use headwater_testdata::PhotoSet;
use headwater_tests::{Data, Run, ServerOptions, run};
use serde_json::{Value, json};

/// 20 photos of two classes, of which 11 are no photos.
fn mostly_broken(folder: &Path) -> PathBuf {
    let photos = folder.join("mostly-broken");
    PhotoSet { classes: 2, per_class: 10, ..PhotoSet::default() }.write(&photos).unwrap();
    let mut files: Vec<_> = fs::read_dir(&photos)
        .unwrap()
        .flat_map(|class| fs::read_dir(class.unwrap().path()).unwrap())
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    assert_eq!(files.len(), 20);
    for file in files.iter().step_by(2).chain(&files[1..2]) {
        fs::write(file, "no photo").unwrap();
    }
    photos
}

/// The first line of standard output.
fn summary(run: &Run) -> Value {
    serde_json::from_str(run.stdout.lines().next().unwrap_or_default()).unwrap()
}

#[test]
fn a_command_most_of_whose_photos_fail_keeps_the_others_and_ends_with_3() {
    let data = Data::photos().unwrap();
    let photos = mostly_broken(data.scratch.path());
    let server = ServerOptions::new(&photos).model("model", &data.model, &data.recipe).start().unwrap();
    let (address, file) = (server.address(), |name: &str| data.scratch.path().join(name).display().to_string());
    let (features, head, tensors, profile) = (file("features"), file("head.onnx"), file("tensors"), file("p.parquet"));
    let served = ["--servers", &address, "--dataset", "photos", "--json"];
    let model = ["--model", "model"];
    let recipe = ["--recipe", &data.recipe];
    let commands = [
        ("tuner", [&["extract"][..], &served, &model, &["--out", &features]].concat()),
        ("tuner", [&["fine-tune"][..], &served, &model, &["--validation-fraction", "0", "--out", &head]].concat()),
        ("profiler", [&["fetch"][..], &served, &recipe, &["--cut", "cropped", "--out", &tensors]].concat()),
        (
            "profiler",
            [&["dataset"][..], &served, &recipe, &["--samples", "3", "--repeats", "1", "--out", &profile]].concat(),
        ),
        ("profiler", [&["epoch"][..], &served, &recipe, &["--mode", "no-off"]].concat()),
    ];
    for (name, arguments) in &commands {
        let run = |more: &[&str]| run(name, arguments.iter().chain(more)).unwrap();
        let ended = run(&[]);
        assert_eq!(ended.code, Some(3), "{name} {arguments:?}: {}", ended.stderr);
        let said = summary(&ended);
        assert_eq!(said["failed"], 11, "{said}");
        let kinds = said["failures"].as_array().unwrap();
        assert_eq!(kinds.iter().map(|kind| kind["count"].as_u64().unwrap()).sum::<u64>(), 11, "{said}");
        assert!(kinds.iter().all(|kind| (1..=5).contains(&kind["keys"].as_array().unwrap().len())), "{said}");
        let first = kinds[0]["keys"][0].as_str().unwrap();
        for words in ["11 of 20 samples failed", "--max-failures 10%", "raise --max-failures", first] {
            assert!(ended.stderr.contains(words), "{name}: {words:?} is not in {}", ended.stderr);
        }
        assert_eq!(run(&["--max-failures", "10"]).code, Some(3), "{name}");
        for enough in ["11", "55%"] {
            let run = run(&["--max-failures", enough]);
            assert_eq!(run.code, Some(0), "{name} {enough}: {}", run.stderr);
            assert_eq!(summary(&run)["failures"], said["failures"]);
        }
    }
    assert!(Path::new(&head).exists() && fs::read_dir(&features).unwrap().count() > 1);
    assert_eq!(fs::read_dir(&tensors).unwrap().count(), 10, "nine arrays and their list");
    let wrong = run("tuner", commands[0].1.iter().chain(&["--max-failures", "many"])).unwrap();
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("such as 5%"), "{}", wrong.stderr);
    assert_eq!(json!(11), summary(&run("tuner", commands[0].1.iter().chain(&["--retry-failed"])).unwrap())["failed"]);
}
