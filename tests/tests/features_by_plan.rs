//! Whoever infers a sample, a server or the tuner, its feature is the same: a plan says who, and nothing else changes.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

mod common;
mod extracted;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use extracted::{Features, features};
use headwater_plan::Plan;
use headwater_testdata::Extractor;
use headwater_tests::{Data, Run, Server, ServerOptions, program, run};
use serde_json::Value;

/// Two servers of one dataset, the second of which has neither CPU workers nor the model; and features as servers alone
/// make them.
struct Setting {
    data: Data,
    one: Server,
    bare: Server,
    reference: Features,
    images: u64,
}

// === impl Setting ===

impl Setting {
    fn new() -> Self {
        let data = Data::photos().unwrap();
        let options = |part: &str| ServerOptions::new(&data.photos).arg("--partition").arg(part);
        let with_model =
            |part: &str| options(part).arg("--max-batch").arg("4").model("model", &data.model, &data.recipe);
        let one = with_model("1/2").start().unwrap();
        let two = with_model("2/2").start().unwrap();
        let bare = options("2/2").arg("--cpu-workers").arg("0").start().unwrap();
        let out = data.scratch.path().join("reference");
        let servers = format!("{},{}", one.address(), two.address());
        let arguments = ["--servers", &servers, "--dataset", "photos", "--model", "model", "--json", "--out"];
        let summary = run("tuner", ["extract"].iter().chain(&arguments).chain(&[out.to_str().unwrap()])).unwrap();
        let summary = summary.success().unwrap().json().unwrap();
        let images = summary["images"].as_u64().unwrap();
        assert!(images > 100, "{summary}");
        assert_eq!(summary["ways"]["features"], images - failures(&summary), "{summary}");
        assert_eq!(summary["replans"], Value::Array(vec![]));
        let reference = features(&out);
        Self { data, one, bare, reference, images }
    }

    fn servers(&self) -> String {
        format!("{},{}", self.one.address(), self.bare.address())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.data.scratch.path().join(name)
    }

    fn arguments(&self, command: &str, out: &Path) -> Vec<String> {
        let servers = self.servers();
        let fixed = [command, "--servers", &servers, "--dataset", "photos", "--model", "model", "--json"];
        fixed.map(str::to_owned).into_iter().chain(["--out".into(), out.to_str().unwrap().into()]).collect()
    }

    fn tuner(&self, command: &str, out: &Path, further: &[&str]) -> Run {
        let arguments = self.arguments(command, out);
        run("tuner", arguments.iter().map(String::as_str).chain(further.iter().copied())).unwrap()
    }

    fn extractor(&self) -> [&str; 2] {
        ["--extractor", self.data.model.to_str().unwrap()]
    }

    /// A profile of a few samples.
    fn profile(&self, name: &str, what: &[&str]) -> PathBuf {
        let (servers, out) = (self.servers(), self.path(name));
        let fixed = ["dataset", "--servers", &servers, "--dataset", "photos", "--samples", "16", "--repeats", "1"];
        let further = ["--json", "--out", out.to_str().unwrap()];
        let report = run("profiler", fixed.iter().chain(what).chain(&further)).unwrap();
        let report = report.success().unwrap().json().unwrap();
        assert_eq!(report["measured"], 16, "{report}");
        out
    }

    fn plan(&self, name: &str, profile: &Path, further: &[&str]) -> (PathBuf, Value) {
        let out = self.path(name);
        let fixed = ["plan", "--profile", profile.to_str().unwrap(), "--json", "--out", out.to_str().unwrap()];
        let report = run("profiler", fixed.iter().chain(further)).unwrap().success().unwrap().json().unwrap();
        (out, report)
    }

    /// Holds what was extracted against what servers alone make of the photos; gives how many features are the same to
    /// the bit.
    fn same(&self, out: &Path) -> usize {
        let found = features(out);
        assert_eq!(found.keys().collect::<Vec<_>>(), self.reference.keys().collect::<Vec<_>>());
        let mut bits = 0;
        for (key, (label, feature)) in &found {
            let (expected_label, expected) = &self.reference[key];
            assert_eq!(label, expected_label, "{key}");
            let scale = expected.iter().fold(1e-3_f32, |scale, value| scale.max(value.abs()));
            let worst = feature.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(feature.len() == expected.len() && worst <= 1e-4 * scale, "{key}: {worst} of {scale}");
            bits += usize::from(feature == expected);
        }
        bits
    }
}

fn failures(summary: &Value) -> u64 {
    summary["failed"].as_u64().unwrap()
}

/// The plan's head, and other ways: sample after sample one of these at the first server, stored bytes at the second.
fn with_ways(plan: &Path, to: &Path, first: u64, all: u64, ways: &[&str]) {
    use std::fmt::Write as _;
    let text = std::fs::read_to_string(plan).unwrap();
    let mut text = text.split_inclusive("---\n").next().unwrap().to_owned();
    for index in 0..all {
        let way = if index < first { ways[index as usize % ways.len()] } else { "encoded" };
        writeln!(text, "{index} {way}").unwrap();
    }
    std::fs::write(to, text).unwrap();
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the kill has to come at some moment")]
fn features_are_the_same_whichever_way_a_plan_has_samples_come() {
    let setting = Setting::new();
    let images = setting.images;
    let profile = setting.profile("features.parquet", &[&["--model", "model"][..], &setting.extractor()].concat());
    let (planned, report) = setting.plan("planned.plan", &profile, &["--bandwidth", "100Mbps", "--trainer-cores", "1"]);
    let text = std::fs::read_to_string(&planned).unwrap();
    let first = Plan::parse(text.as_bytes()).unwrap().inputs.servers[0].samples;
    assert!(text.contains("model_digest") && text.contains("lacks = [\"features\"]"), "{text}");

    // What only stored bytes can be had of comes so, and the rest by whatever is fastest.
    assert!(report["cuts"]["encoded"].as_u64() >= Some(images - first), "{report}");

    let mixed = setting.path("mixed.plan");
    let ways = [
        "features",
        "encoded",
        "jpeg-crop",
        "flipped+lossless",
        "features",
        "cropped",
        "normalized",
        "decoded+lossless",
    ];
    with_ways(&planned, &mixed, first, images, &ways);
    let of_file = |file: &Path| ["--plan".to_owned(), file.to_str().unwrap().to_owned()];
    for (name, file) in [("planned", &planned), ("mixed", &mixed)] {
        let (out, plan) = (setting.path(name), of_file(file));
        let further = [&plan.each_ref().map(String::as_str)[..], &setting.extractor()].concat();
        let summary = setting.tuner("extract", &out, &further).success().unwrap().json().unwrap();
        let came = summary["ways"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum::<u64>();
        assert_eq!((summary["images"].as_u64(), came), (Some(images), images), "{summary}");
        if name == "mixed" {
            assert!(summary["ways"]["features"].as_u64() >= Some(first / 4), "{summary}");
            assert!(summary["ways"].as_object().unwrap().len() >= 6, "{summary}");
        }
        let bits = setting.same(&out);
        println!("{name}: {bits} of {images} features are the same to the bit; {}", summary["ways"]);
    }

    // Killed in the middle, and gone on with.
    let (out, plan) = (setting.path("killed"), of_file(&mixed));
    let further = [&plan.each_ref().map(String::as_str)[..], &setting.extractor(), &["--part-rows", "16"]].concat();
    let mut tuner = Command::new(program("tuner"))
        .args(setting.arguments("extract", &out))
        .args(&further)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(400));
    tuner.kill().unwrap();
    tuner.wait().unwrap();
    let summary = setting.tuner("extract", &out, &further).success().unwrap().json().unwrap();
    assert_eq!(summary["images"].as_u64(), Some(images), "{summary}");
    setting.same(&out);

    // The runs of a fine-tuning, each in its order.
    let head = setting.path("head.onnx");
    let further = [&plan.each_ref().map(String::as_str)[..], &setting.extractor(), &["--runs", "3"]].concat();
    let summary = setting.tuner("fine-tune", &head, &further).success().unwrap().json().unwrap();
    assert_eq!(summary["images"].as_u64(), Some(images), "{summary}");
    assert!(summary["validation_top1"].as_f64() > Some(0.75), "{summary}");
    assert!(summary["ways"].as_object().unwrap().len() >= 6, "{summary}");
}

#[test]
fn a_plan_that_is_made_on_the_spot_gives_the_same_features() {
    let setting = Setting::new();
    let out = setting.path("auto");
    let further =
        [&["--plan", "auto", "--profile-seconds", "20", "--limit-bandwidth", "60Mbps"][..], &setting.extractor()]
            .concat();
    let summary = setting.tuner("extract", &out, &further).success().unwrap().json().unwrap();
    assert_eq!(summary["images"].as_u64(), Some(setting.images), "{summary}");
    assert!(summary["replans"].is_array() && summary["auto"]["planned"] == true, "{summary}");
    assert!(summary["auto"]["measured"].as_u64() > Some(10), "{summary}");
    assert!(summary["ways"]["encoded"].as_u64() >= Some(setting.images / 2), "{summary}");
    setting.same(&out);
    // Without a word so few photos are not worth a profile: servers infer what they can.
    let short = setting.path("short");
    let further_short = [&["--plan", "auto"][..], &setting.extractor()].concat();
    let summary = setting.tuner("extract", &short, &further_short).success().unwrap().json().unwrap();
    assert!(summary["auto"]["planned"] == false && summary["replans"] == Value::Array(vec![]), "{summary}");
    assert_eq!(summary["ways"].as_object().unwrap().keys().collect::<Vec<_>>(), ["encoded", "features"], "{summary}");
    setting.same(&short);
    // Nothing is left to come, and so there is nothing to plan.
    let again = setting.tuner("extract", &out, &further).success().unwrap().json().unwrap();
    assert_eq!((again["fetched"].as_u64(), &again["ways"]), (Some(0), &serde_json::json!({})), "{again}");
}

#[test]
fn a_plan_is_refused_where_it_was_not_made_for() {
    let setting = Setting::new();
    let (one, bare) = (setting.one.address(), setting.bare.address());
    let profile = setting.profile("features.parquet", &[&["--model", "model"][..], &setting.extractor()].concat());
    let (plan, _) = setting.plan("features.plan", &profile, &["--trainer-cores", "1"]);
    let of_features = ["--plan", plan.to_str().unwrap()];
    let refused = |servers: &str, further: &[&str]| {
        let out = setting.path("refused");
        let fixed = ["extract", "--servers", servers, "--dataset", "photos", "--model", "model"];
        let run = run("tuner", fixed.iter().chain(&["--out", out.to_str().unwrap()]).chain(further)).unwrap();
        assert!(!out.exists(), "{}", run.stderr);
        assert!(matches!(run.code, Some(1 | 2)), "{}", run.stderr);
        run.stderr
    };
    let both = setting.servers();
    let contains = |words: &str, said: &str| assert!(said.contains(words), "{words}: {said}");
    contains("give --extractor", &refused(&both, &of_features));
    contains("give --extractor", &refused(&both, &["--plan", "auto"]));
    contains("without --plan", &refused(&both, &setting.extractor()));
    let other = setting.path("other.onnx");
    std::fs::write(&other, Extractor::onnx(2)).unwrap();
    let wrong = ["--extractor", other.to_str().unwrap()];
    contains("the file that they have registered", &refused(&both, &[&of_features[..], &wrong].concat()));
    let with_extractor = [&of_features[..], &setting.extractor()].concat();
    contains("another dataset", &refused(&format!("{bare},{one}"), &with_extractor));

    // Another model by the same name.
    let recipe = setting.path("other.toml");
    std::fs::write(&recipe, Extractor::RECIPE).unwrap();
    let served = ServerOptions::new(&setting.data.photos).arg("--partition").arg("1/2").arg("--max-batch").arg("1");
    let renamed = served.model("model", &other, recipe.to_str().unwrap()).start().unwrap();
    let of_other = format!("{},{bare}", renamed.address());
    contains("the plan is for the model model", &refused(&of_other, &[&of_features[..], &wrong].concat()));
    // Without a plan every server must have the model.
    contains(&bare, &refused(&both, &[]));
    // A server that has it no more.
    let text = std::fs::read_to_string(&plan).unwrap();
    let all_features = setting.path("all.plan");
    let head = text.split_inclusive("---\n").next().unwrap();
    std::fs::write(&all_features, format!("{head}0-{} features\n", setting.images - 1)).unwrap();
    contains("does not have the model", &refused(&both, &["--plan", all_features.to_str().unwrap()]));

    // Tensors and features are not the same thing, whichever way round.
    let fetched = ["fetch", "--servers", &both, "--dataset", "photos", "--recipe", &setting.data.recipe];
    let out = setting.path("tensors");
    let out = ["--out", out.to_str().unwrap()];
    let fetched = run("profiler", fetched.iter().chain(&of_features).chain(&out)).unwrap();
    contains("follow it with tuner", &fetched.stderr);
    let profile = setting.profile("tensors.parquet", &["--recipe", &setting.data.recipe]);
    let (plan, _) = setting.plan("tensors.plan", &profile, &[]);
    let of_tensors = [&["--plan", plan.to_str().unwrap()][..], &setting.extractor()].concat();
    contains("the plan is for tensors", &refused(&both, &of_tensors));
}
