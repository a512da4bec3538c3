//! A server that is killed in the middle costs time, not samples.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

mod common;

use std::process::{Command, Stdio};
use std::time::Duration;

use common::read_parts;
use headwater_tests::{Data, ServerOptions, program, run};
use serde_json::Value;

#[test]
#[expect(clippy::disallowed_methods, reason = "the kill has to come at some moment")]
fn extract_holds_each_sample_once_whenever_a_server_is_killed() {
    let data = Data::photos().unwrap();
    let options = |part: &str| {
        ServerOptions::new(&data.photos).arg("--partition").arg(part).arg("--max-batch").arg("4").model(
            "model",
            &data.model,
            &data.recipe,
        )
    };
    let mut one = options("1/2").start().unwrap();
    let two = options("2/2").start().unwrap();
    let servers = format!("{},{}", one.address(), two.address());
    let arguments = |out: &str| {
        ["extract", "--servers", &servers, "--dataset", "photos", "--model", "model", "--out", out, "--json"]
            .map(str::to_owned)
    };
    let reference = data.scratch.path().join("reference");
    let summary = run("tuner", arguments(reference.to_str().unwrap())).unwrap().success().unwrap().json().unwrap();
    let images = summary["images"].as_u64().unwrap();
    assert!(images > 100, "{summary}");

    for delay in [30, 150, 400] {
        let out = data.scratch.path().join(format!("killed-{delay}"));
        let tuner = Command::new(program("tuner"))
            .args(arguments(out.to_str().unwrap()))
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(delay));
        one = one.restart().unwrap();
        let output = tuner.wait_with_output().unwrap();
        assert!(output.status.success(), "{delay} ms: {}", output.status);
        let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(summary["images"].as_u64(), Some(images), "{delay} ms: {summary}");
        assert_eq!(keys(&out), keys(&reference), "{delay} ms");
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the kill has to come at some moment")]
fn extract_goes_on_where_a_killed_tuner_stopped() {
    let data = Data::photos().unwrap();
    let server = ServerOptions::new(&data.photos)
        .arg("--max-batch")
        .arg("4")
        .model("model", &data.model, &data.recipe)
        .start()
        .unwrap();
    let out = data.scratch.path().join("out");
    let arguments = ["extract", "--servers", &server.address(), "--dataset", "photos", "--model", "model"];
    let further = ["--part-rows", "16", "--json", "--out", out.to_str().unwrap()];
    let mut tuner = Command::new(program("tuner")).args(arguments).args(further).stdout(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    tuner.kill().unwrap();
    tuner.wait().unwrap();
    let summary = run("tuner", arguments.iter().chain(&further)).unwrap().success().unwrap().json().unwrap();
    let keys = keys(&out);
    assert_eq!(keys.len() as u64, summary["images"].as_u64().unwrap(), "{summary}");
    assert!(keys.windows(2).all(|pair| pair[0] < pair[1]), "a key is there twice");
    assert!(keys.len() > 100);
}

/// The sorted `key` column of all parts.
fn keys(folder: &std::path::Path) -> Vec<String> {
    use arrow_array::cast::AsArray;
    let mut keys = Vec::new();
    for batch in read_parts(folder).unwrap() {
        let column = batch.column_by_name("key").unwrap().as_string::<i32>();
        keys.extend(column.iter().map(|key| key.unwrap().to_owned()));
    }
    keys.sort();
    keys
}
