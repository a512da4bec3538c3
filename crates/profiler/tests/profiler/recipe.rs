//! `profiler recipe`.

use std::process::{Command, Output};

use serde_json::Value;

fn profiler(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_profiler")).args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn the_box_is_listed_for_people_and_for_programs() {
    let text = stdout(&profiler(&["recipe"]));
    let json: Value = serde_json::from_str(&stdout(&profiler(&["recipe", "--json"]))).unwrap();
    let recipes = json.as_array().unwrap();
    assert!(recipes.len() >= 3);
    for recipe in recipes {
        let (name, digest) = (recipe["name"].as_str().unwrap(), recipe["digest"].as_str().unwrap());
        assert!(text.lines().any(|line| line.starts_with(name) && line.ends_with(digest)), "{name} in {text}");
    }
}

#[test]
fn a_printed_recipe_can_be_changed_and_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.toml");
    let toml = stdout(&profiler(&["recipe", "imagenet-train"]));
    std::fs::write(&file, toml.replace("[224, 224]", "[96, 128]")).unwrap();
    let json: Value = serde_json::from_str(&stdout(&profiler(&["recipe", file.to_str().unwrap(), "--json"]))).unwrap();
    assert_eq!((&json["height"], &json["width"], &json["random"]), (&96.into(), &128.into(), &true.into()));
    let boxed: Value = serde_json::from_str(&stdout(&profiler(&["recipe", "imagenet-train", "--json"]))).unwrap();
    assert_ne!(json["digest"], boxed["digest"]);
}

#[test]
fn what_is_no_recipe_is_an_error_that_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("broken.toml");
    std::fs::write(&file, "name = 'x'\n[[stage]]\nop = 'to-tensor'\n").unwrap();
    for (recipe, words) in [("no-such", "imagenet-train"), (file.to_str().unwrap(), "stage 1 (to-tensor)")] {
        let output = profiler(&["recipe", recipe]);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(message.contains(words), "{message}");
    }
}
