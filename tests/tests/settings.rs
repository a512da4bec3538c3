//! Every flag is also a variable and a key: flag over variable over file over default.

use std::process::Command;

use headwater_tests::{program, run};
use serde_json::Value;
use tempfile::TempDir;

#[test]
fn flag_over_variable_over_file_over_default() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("server.toml");
    std::fs::write(&file, "data = \"/srv/a\"\ndataset = \"from-file\"\ncpu-workers = 3\nmax-streams = 4\ngrace = 5\n")
        .unwrap();
    let output = Command::new(program("storage-server"))
        .args(["serve", "--check-config", "--max-streams", "9", "--config"])
        .arg(&file)
        .env("HEADWATER_CPU_WORKERS", "7")
        .env("HEADWATER_MAX_STREAMS", "8")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let table: toml::Table = toml::from_str(&text).unwrap();
    let find = |key: &str| -> String {
        let found = table.get(key).or_else(|| table.get("serve").and_then(|serve| serve.get(key)));
        found.unwrap_or_else(|| panic!("no {key} in {text}")).to_string().replace('"', "")
    };
    let expected = [("max-streams", "9"), ("cpu-workers", "7"), ("dataset", "from-file"), ("stream-window", "64")];
    for (key, value) in expected {
        assert_eq!(find(key), value, "{key} in {text}");
    }
}

#[test]
fn mistakes_are_named_with_their_fix() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("server.toml");
    std::fs::write(&file, "cpu-wrokers = 3\n").unwrap();
    let config = file.display().to_string();
    let base = ["serve", "--data", "/nonexistent", "--dataset", "d", "--listen", "127.0.0.1:0"];
    let said = |further: &[&str]| {
        let run = run("storage-server", base.iter().chain(further)).unwrap();
        assert_ne!(run.code, Some(0));
        run.stderr
    };
    assert!(said(&["--config", &config]).contains("cpu-workers"));
    assert!(said(&[]).contains("/nonexistent"));
    assert!(said(&["--device", "cuda"]).contains("--model"));
    assert!(said(&["--memory", "1MiB"]).contains("--memory"));
    assert!(said(&["--model", "m=x.onnx"]).contains("recipe"));
    assert!(said(&["--partition", "3/2"]).contains("partition"));
}

#[test]
fn a_device_that_is_not_there_is_an_error_at_start() {
    let data = headwater_tests::Data::photos().unwrap();
    let model = format!("m={},recipe={}", data.model.display(), data.recipe);
    let photos = data.photos.display().to_string();
    for device in ["cuda", "tensorrt"] {
        let arguments = ["serve", "--data", &photos, "--dataset", "d", "--listen", "127.0.0.1:0", "--model", &model];
        let run = run("storage-server", arguments.into_iter().chain(["--device", device])).unwrap();
        // Where there is such a device, another test's matter.
        if run.code == Some(0) {
            continue;
        }
        assert_eq!(run.code, Some(1));
        assert!(run.stderr.contains(device), "{}", run.stderr);
    }
}

#[test]
fn help_has_examples() {
    for (name, command) in [
        ("storage-server", "index"),
        ("storage-server", "serve"),
        ("tuner", "extract"),
        ("tuner", "fine-tune"),
        ("profiler", "fetch"),
        ("profiler", "recipe"),
    ] {
        let help = run(name, [command, "--help"]).unwrap().success().unwrap().stdout;
        assert!(help.contains("HEADWATER_"), "{name} {command}: {help}");
        assert!(run(name, ["--help"]).unwrap().success().unwrap().stdout.contains("Examples"), "{name}");
    }
}

#[test]
fn recipes_in_the_box_are_listed_with_their_digests() {
    let listed: Value = run("profiler", ["recipe", "--json"]).unwrap().success().unwrap().json().unwrap();
    assert!(listed.to_string().contains("imagenet-train"), "{listed}");
    let shown: Value =
        run("profiler", ["recipe", "mobilenet-eval", "--json"]).unwrap().success().unwrap().json().unwrap();
    assert_eq!(shown["digest"].as_str().map(str::len), Some(64), "{shown}");
}
