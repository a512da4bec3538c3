//! A model that gives NaN for some photos: those fail, typed and counted, in every program and whoever infers; the
//! others do not.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that panics has said what it found")]

use std::fs;
use std::path::PathBuf;

use headwater_onnx::{Dim, GraphBuilder, ValueFacts};
use headwater_testdata::{Encoding, Picture};
use headwater_tests::{Run, Server, ServerOptions, fetch, run};
use serde_json::Value;
use tempfile::TempDir;

/// The root of how much brighter than a quarter a photo is, colour by colour: NaN for dark ones.
fn model() -> Vec<u8> {
    let mut graph = GraphBuilder::new("roots");
    graph.input(&ValueFacts::float32("input", &[Dim::symbol("N"), Dim::Fixed(3), Dim::Fixed(8), Dim::Fixed(8)]));
    graph.global_average_pool("pool", "input").flatten("mean", "pool").constant("quarter", &[3], &[0.25; 3]);
    graph.operator("Sub", &["mean", "quarter"], "above", &[]).operator("Sqrt", &["above"], "features", &[]);
    graph.output(&ValueFacts::float32("features", &[Dim::symbol("N"), Dim::Fixed(3)]));
    graph.finish()
}

const RECIPE: &str =
    "name = 'eight'\n[[stage]]\nop = 'decode'\n[[stage]]\nop = 'resize'\nsize = [8, 8]\n[[stage]]\nop = 'to-tensor'\n";

struct Setting {
    scratch: TempDir,
    server: Server,
}

// === impl Setting ===

impl Setting {
    /// Twelve photos in two classes, of which the third and the ninth are dark.
    fn new() -> Self {
        let scratch = TempDir::new().unwrap();
        let path = |name: &str| scratch.path().join(name);
        for number in 0..12_u8 {
            let class = path("photos").join(if number % 2 == 0 { "even" } else { "odd" });
            fs::create_dir_all(&class).unwrap();
            let grey = if number == 4 || number == 7 { 10 } else { 100 + 10 * number };
            let photo = Encoding::Png.encode(&Picture::from_fn(20, 16, |_, _| [grey; 3])).unwrap();
            fs::write(class.join(format!("{number:02}.png")), photo).unwrap();
        }
        fs::write(path("model.onnx"), model()).unwrap();
        fs::write(path("recipe.toml"), RECIPE).unwrap();
        let recipe = path("recipe.toml").display().to_string();
        let server =
            ServerOptions::new(&path("photos")).metrics().model("roots", &path("model.onnx"), &recipe).start().unwrap();
        Self { scratch, server }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    fn tuner(&self, command: &str, out: &str, further: &[&str]) -> Run {
        let (servers, out) = (self.server.address(), self.path(out).display().to_string());
        let fixed =
            [command, "--servers", &servers, "--dataset", "photos", "--model", "roots", "--json", "--out", &out];
        run("tuner", fixed.iter().chain(further)).unwrap()
    }
}

/// The only kind of failure that a summary has, and of how many samples.
fn failures(summary: &Value) -> Option<(String, u64)> {
    match summary["failures"].as_array().map(Vec::as_slice) {
        Some([]) => None,
        Some([one]) => Some((one["kind"].as_str().unwrap().to_owned(), one["count"].as_u64().unwrap())),
        other => panic!("{other:?}"),
    }
}

#[test]
fn features_that_are_not_finite_are_failures_in_every_program_unless_insisted_on() {
    let setting = Setting::new();
    let two = Some(("not-finite".to_owned(), 2));
    let summary = |run: Run| run.json().unwrap();

    let extracted = summary(setting.tuner("extract", "features", &["--max-failures", "2"]));
    assert_eq!(failures(&extracted), two, "{extracted}");
    let listed = fs::read_to_string(setting.path("features/_failures.jsonl")).unwrap();
    assert!(listed.contains("3 of its 3 features are not finite") && listed.contains("even/04.png"), "{listed}");
    let insisted = summary(setting.tuner("extract", "all", &["--allow-non-finite"]));
    assert_eq!(failures(&insisted), None, "{insisted}");

    let model = setting.path("model.onnx").display().to_string();
    let tuned = summary(setting.tuner("fine-tune", "head.onnx", &["--runs", "1", "--max-failures", "2"]));
    assert_eq!(failures(&tuned), two, "{tuned}");
    let folder = setting.path("all").display().to_string();
    let head = setting.path("again.onnx").display().to_string();
    let from = ["fine-tune", "--features", &folder, "--runs", "1", "--max-failures", "2", "--json", "--out", &head];
    let from_folder = summary(run("tuner", from).unwrap());
    assert_eq!(failures(&from_folder), two, "{from_folder}");

    // Inferred by the tuner: a plan that has all photos come as they are stored.
    let servers = setting.server.address();
    let profile = setting.path("profile.parquet").display().to_string();
    let measured = ["dataset", "--servers", &servers, "--dataset", "photos", "--model", "roots", "--extractor", &model];
    let further = ["--max-failures", "12", "--repeats", "1", "--out", &profile];
    run("profiler", measured.iter().chain(&further)).unwrap().success().unwrap();
    let plan = setting.path("planned.plan").display().to_string();
    let planned = ["plan", "--profile", &profile, "--bandwidth", "100Mbps", "--trainer-cores", "1", "--out", &plan];
    run("profiler", planned).unwrap().success().unwrap();
    let text = fs::read_to_string(&plan).unwrap();
    let head = text.split_inclusive("---\n").next().unwrap();
    let lines: String = (0..12).map(|index| format!("{index} encoded\n")).collect();
    fs::write(&plan, format!("{head}{lines}")).unwrap();
    let here = ["--plan", &plan, "--extractor", &model, "--max-failures", "2"];
    let here = summary(setting.tuner("extract", "here", &here));
    assert_eq!(failures(&here), two, "{here}");

    let out = TempDir::new().unwrap();
    let cut = ["--cut", "features", "--model", "roots"];
    let fetched = fetch(std::slice::from_ref(&servers), out.path(), &cut).unwrap();
    assert_eq!(failures(&fetched.summary), two, "{}", fetched.summary);
    assert_eq!(fetched.arrays.len(), 10);
    let insisting = fetch(&[servers], out.path(), &[&cut[..], &["--allow-non-finite"]].concat()).unwrap();
    assert_eq!((failures(&insisting.summary), insisting.arrays.len()), (None, 12));

    let metrics = setting.server.metrics().unwrap();
    assert!(metrics.contains(r#"kind="not-finite""#), "{metrics}");
}
