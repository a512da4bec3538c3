//! `scripts/install` makes a folder that runs wherever it is copied, is run again without harm, and is gone when it is
//! uninstalled.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use headwater_testdata::{Extractor, PhotoSet};
use headwater_tests::{ServerOptions, program, root, run};
use serde_json::Value;
use tempfile::TempDir;

const MANIFEST: &str = "share/headwater/manifest.txt";

/// `scripts/install` with what is built already.
fn install(prefix: &Path, further: &[&str]) -> Output {
    let built = program("storage-server");
    Command::new(root().join("scripts/install"))
        .arg("--prefix")
        .arg(prefix)
        .args(further)
        .env("BUILT_BIN", built.parent().unwrap())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn installed(prefix: &Path) -> String {
    let output = install(prefix, &["--no-wheel"]);
    assert!(output.status.success(), "{}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn manifest(prefix: &Path) -> BTreeSet<String> {
    fs::read_to_string(prefix.join(MANIFEST)).unwrap().lines().map(str::to_owned).collect()
}

fn files_below(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => drop(found.insert(path.strip_prefix(folder).unwrap().display().to_string())),
            }
        }
    }
    found
}

#[test]
fn a_copy_of_the_folder_serves_features_with_an_empty_environment() {
    let folder = TempDir::new().unwrap();
    let prefix = folder.path().join("here");
    let said = installed(&prefix);
    assert!(
        said.contains("storage-server serve") && said.contains(&prefix.join("bin").display().to_string()),
        "{said}"
    );
    let copy = folder.path().join("storage node");
    assert!(Command::new("cp").arg("-a").arg(&prefix).arg(&copy).status().unwrap().success());
    fs::remove_dir_all(&prefix).unwrap();

    let photos = folder.path().join("photos");
    PhotoSet { classes: 2, per_class: 3, ..PhotoSet::default() }.write(&photos).unwrap();
    let (model, recipe) = (folder.path().join("extractor.onnx"), folder.path().join("extractor.toml"));
    fs::write(&model, Extractor::onnx(1)).unwrap();
    fs::write(&recipe, Extractor::RECIPE).unwrap();
    let server = ServerOptions::new(&photos).model("extractor", &model, &recipe.display().to_string());
    let server = server.bare(&copy.join("bin/storage-server")).start().unwrap();
    let address = server.address();
    let out = folder.path().join("features").display().to_string();
    let arguments =
        ["extract", "--servers", &address, "--dataset", "photos", "--model", "extractor", "--out", &out, "--json"];
    let extracted: Value = run("tuner", arguments).unwrap().success().unwrap().json().unwrap();
    assert_eq!(extracted["features"].as_u64(), Some(6), "{extracted}");
}

#[test]
fn running_it_again_replaces_what_it_has_installed_and_nothing_else() {
    let folder = TempDir::new().unwrap();
    let prefix = folder.path().join("prefix");
    installed(&prefix);
    let expected = manifest(&prefix);
    for file in [
        "bin/tuner",
        "share/bash-completion/completions/tuner",
        "share/man/man1/tuner-extract.1",
        "share/doc/headwater/LICENSE",
        "share/doc/headwater/THIRD-PARTY-NOTICES",
    ] {
        assert!(expected.contains(file), "{file} is not in {expected:?}");
    }
    assert!(expected.iter().any(|file| file.starts_with("lib/headwater/libonnxruntime.")), "{expected:?}");
    fs::write(prefix.join("bin/tuner"), "an older one").unwrap();
    // What an earlier version had, and this one has not.
    fs::write(prefix.join("share/headwater/old.whl"), "").unwrap();
    let listed = expected.iter().map(|line| format!("{line}\n")).collect::<String>();
    fs::write(prefix.join(MANIFEST), listed + "share/headwater/old.whl\n").unwrap();
    fs::write(prefix.join("bin/mine"), "").unwrap();
    installed(&prefix);
    assert_eq!(manifest(&prefix), expected);
    assert_eq!(fs::read(prefix.join("bin/tuner")).unwrap(), fs::read(program("tuner")).unwrap());
    let mut left = expected.clone();
    left.extend([MANIFEST.to_owned(), "bin/mine".to_owned()]);
    assert_eq!(files_below(&prefix), left);

    let output = install(&prefix, &["--uninstall"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(files_below(&prefix), BTreeSet::from(["bin/mine".to_owned()]));
    assert!(!prefix.join("lib").exists(), "an empty folder is left behind");
    let again = install(&prefix, &["--uninstall"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).contains("--prefix"), "{}", stderr(&again));
}

#[test]
fn a_program_that_is_not_ours_is_not_overwritten() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("bin")).unwrap();
    fs::write(folder.path().join("bin/tuner"), "a guitar's").unwrap();
    let output = install(folder.path(), &["--no-wheel"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("bin/tuner is there already"), "{}", stderr(&output));
    assert_eq!(files_below(folder.path()), BTreeSet::from(["bin/tuner".to_owned()]));
    assert_eq!(fs::read_to_string(folder.path().join("bin/tuner")).unwrap(), "a guitar's");
}

#[test]
fn mistakes_are_named_before_anything_is_built() {
    let folder = TempDir::new().unwrap();
    for (arguments, named) in [
        (&["--perfix", "/opt"][..], "--perfix"),
        (&["--python"], "--python"),
        (&["--python", "/nonexistent/python"], "/nonexistent/python"),
        (&["--python", "python3", "--no-wheel"], "--no-wheel"),
    ] {
        let output = install(folder.path(), arguments);
        assert!(matches!(output.status.code(), Some(1 | 2)), "{arguments:?}");
        assert!(stderr(&output).contains(named), "{arguments:?}: {}", stderr(&output));
        assert_eq!(files_below(folder.path()), BTreeSet::new());
    }
}
