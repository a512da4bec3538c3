//! A network that is split between servers and tuner gives the features of the whole, at every cut, coded or not; and
//! where the cut changes on the way, each sample comes once.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

mod common;
mod extracted;

use std::path::{Path, PathBuf};

use extracted::{Features, features};
use headwater_tests::{Data, Line, Run, Server, ServerOptions, run};
use serde_json::{Value, json};

/// Two servers with a model, its profile, and the features that the servers alone make.
struct Setting {
    data: Data,
    servers: [Server; 2],
    profile: Value,
    reference: Features,
    images: u64,
}

/// The largest difference between a feature of halves and of the whole, against the largest number of the feature.
const APART: f32 = 1e-5;

// === impl Setting ===

impl Setting {
    fn new() -> Self {
        let data = Data::photos().unwrap();
        let with_model = |part: &str| {
            let options = ServerOptions::new(&data.photos).arg("--partition").arg(part).arg("--max-batch").arg("2");
            options.model("model", &data.model, &data.recipe).start().unwrap()
        };
        let servers = [with_model("1/2"), with_model("2/2")];
        let model = data.model.to_str().unwrap();
        let measured = ["model", "--model", model, "--recipe", &data.recipe, "--seconds", "0.001", "--batches", "1"];
        let profile = run("profiler", measured.into_iter().chain(["--output", "features", "--json"])).unwrap();
        let profile = profile.success().unwrap().json().unwrap();
        let mut setting = Self { data, servers, profile, reference: Features::new(), images: 0 };
        let (out, summary) = setting.extract("reference", &setting.addresses(), &[]);
        setting.images = summary["images"].as_u64().unwrap();
        setting.reference = features(&out);
        assert_eq!(summary["split"], Value::Null);
        setting
    }

    fn addresses(&self) -> String {
        self.servers.each_ref().map(Server::address).join(",")
    }

    fn tuner(&self, servers: &str, out: &Path, further: &[&str]) -> Run {
        let fixed = ["extract", "--servers", servers, "--dataset", "photos", "--model", "model", "--json", "--out"];
        run("tuner", fixed.iter().copied().chain([out.to_str().unwrap()]).chain(further.iter().copied())).unwrap()
    }

    fn extract(&self, name: &str, servers: &str, further: &[&str]) -> (PathBuf, Value) {
        let out = self.path(name);
        let summary = self.tuner(servers, &out, further).success().unwrap().json().unwrap();
        (out, summary)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.data.scratch.path().join(name)
    }

    fn model(&self) -> &str {
        self.data.model.to_str().unwrap()
    }

    /// The cuts of the network, by the names of their tensors.
    fn cuts(&self) -> Vec<String> {
        let cuts = self.profile["cuts"].as_array().unwrap().iter();
        cuts.filter_map(|cut| cut["tensor"].as_str().map(str::to_owned)).collect()
    }

    /// Writes the profile with other costs: of the cuts that are named bytes and seconds, and no other cut.
    fn costs(&self, name: &str, of: &[(&str, f64, [f64; 2])]) -> PathBuf {
        let mut profile = self.profile.clone();
        let cuts = profile["cuts"].as_array_mut().unwrap();
        cuts.retain(|cut| of.iter().any(|(name, ..)| cut["cut"] == *name));
        for cut in cuts {
            let (_, bytes, [server, tuner]) = of.iter().find(|(name, ..)| cut["cut"] == *name).unwrap();
            cut["bytes"] = json!(bytes);
            cut["coded_bytes"] = Value::Null;
            cut["server_seconds"] = json!(server);
            cut["batches"] = json!([{ "batch": 1, "server_seconds": server }]);
            cut["tuner_seconds"] = json!(tuner);
        }
        let path = self.path(name);
        std::fs::write(&path, profile.to_string()).unwrap();
        path
    }

    /// Holds what was extracted against what the servers alone make of the photos.
    fn same(&self, out: &Path) {
        let found = features(out);
        assert_eq!(found.keys().collect::<Vec<_>>(), self.reference.keys().collect::<Vec<_>>());
        for (key, (label, feature)) in &found {
            let (expected_label, expected) = &self.reference[key];
            let scale = expected.iter().fold(1.0_f32, |scale, value| scale.max(value.abs()));
            let worst = feature.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(feature.len() == expected.len() && worst <= APART * scale, "{key}: {worst} of {scale}");
            assert_eq!(label, expected_label, "{key}");
        }
    }
}

#[test]
fn features_of_any_cut_are_those_of_the_whole_network() {
    let setting = Setting::new();
    let (cuts, images) = (setting.cuts(), setting.images);
    assert!(cuts.len() >= 3, "{cuts:?}");
    // The first, the last, and some between: every server opens each.
    let some = cuts.iter().step_by(cuts.len().div_ceil(5)).chain(cuts.last());
    for (number, cut) in some.enumerate() {
        let coded = number % 2 == 1;
        let further = ["--split-at", cut, "--extractor", setting.model(), "--split-coded"];
        let further = if coded { &further[..] } else { &further[..4] };
        let (out, summary) = setting.extract(&format!("cut-{number}"), &setting.addresses(), further);
        assert_eq!((summary["images"].as_u64(), summary["split"]["cuts"][cut].as_u64()), (Some(images), Some(images)));
        let (ways, failed) = (&summary["ways"], summary["failed"].as_u64().unwrap());
        let of = |way: &str| ways[way].as_u64().unwrap_or(0);
        assert_eq!(of("features") + of("features+lossless"), images - failed, "{summary}");
        assert!(coded || of("features+lossless") == 0, "{summary}");
        setting.same(&out);
        println!("{cut}: {ways}, {} bytes", summary["bytes_received"]);
    }
}

#[test]
fn a_profile_decides_and_a_network_that_is_slower_moves_the_cut_with_each_sample_once() {
    let setting = Setting::new();
    let cuts = setting.cuts();
    let (early, last) = (cuts[0].as_str(), "features");
    let lines = setting.servers.each_ref().map(|server| Line::before(&server.address()).unwrap());
    let through = lines.each_ref().map(|line| line.address().to_owned()).join(",");

    // Without a limit the early cut has the shortest epoch.
    let profile = setting.costs("slow.json", &[(early, 200_000.0, [1e-4, 1e-4]), (last, 4_000.0, [1e-2, 0.0])]);
    let by = ["--split-by", profile.to_str().unwrap(), "--extractor", setting.model()];
    lines.iter().for_each(|line| line.slow_to(400_000));
    let (out, summary) = setting.extract("moved", &through, &by);
    let split = &summary["split"];
    assert_eq!(split["changes"].as_array().map(Vec::len), Some(1), "{summary}");
    let change = &split["changes"][0];
    assert_eq!((change["from"].as_str(), change["cut"].as_str()), (Some(early), Some(last)), "{summary}");
    let of = |cut: &str| split["cuts"][cut].as_u64().unwrap_or(0);
    assert_eq!((of(early) + of(last), of(early) > 0), (setting.images, true), "{summary}");
    setting.same(&out);

    // Pixels are a cut like others, and a cut that costs nothing to stay at is stayed at.
    let profile = setting.costs("pixels.json", &[("flipped", 50_000.0, [1e-3, 1e-3]), (last, 4_000.0, [1.0, 0.0])]);
    let by = ["--split-by", profile.to_str().unwrap(), "--extractor", setting.model()];
    let (out, summary) = setting.extract("pixels", &setting.addresses(), &by);
    assert_eq!(summary["split"]["cuts"]["flipped"].as_u64(), Some(setting.images), "{summary}");
    setting.same(&out);
}

#[test]
fn servers_say_what_their_part_of_each_cut_takes_them() {
    let setting = Setting::new();
    let (servers, model) = (setting.addresses(), setting.model());
    let network = ["model", "--model", model, "--recipe", &setting.data.recipe, "--output", "features", "--json"];
    let quick = ["--seconds", "0.001", "--batches", "1", "--samples", "4"];
    let at = ["--servers", &servers, "--dataset", "photos", "--served-as", "model"];
    let words = network.iter().chain(&quick).chain(&at).copied();
    let profile = run("profiler", words).unwrap().success().unwrap().json().unwrap();
    assert_eq!(profile["servers"].as_array().map(Vec::len), Some(2), "{}", profile["servers"]);
    let cuts = profile["cuts"].as_array().unwrap();
    let number = |cut: &Value, name: &str| cut[name].as_f64().unwrap();
    for cut in cuts.iter().filter(|cut| cut["tensor"].is_string()) {
        // The bytes that came are those that were computed; a server runs as many images at once as it says.
        assert!(number(cut, "coded_bytes") <= number(cut, "bytes"), "{cut}");
        assert!(number(cut, "server_seconds") > 0.0 && cut["batches"][0]["batch"] == 2, "{cut}");
    }
    let path = setting.path("served.json");
    std::fs::write(&path, profile.to_string()).unwrap();
    let by = ["--split-by", path.to_str().unwrap(), "--extractor", model];
    let (out, summary) = setting.extract("served", &servers, &by);
    let came = summary["split"]["cuts"].as_object().unwrap().values().filter_map(Value::as_u64).sum::<u64>();
    assert_eq!(came, setting.images, "{summary}");
    setting.same(&out);

    let other = ["--servers", &servers, "--dataset", "photos", "--served-as", "model"];
    let recipe = ["model", "--model", model, "--recipe", "imagenet-eval", "--json"];
    let run = run("profiler", recipe.iter().chain(&other).copied()).unwrap();
    assert!(run.code != Some(0) && run.stderr.contains("--recipe imagenet-eval"), "{}", run.stderr);
}

#[test]
fn a_head_is_trained_on_a_split_network_as_on_the_whole() {
    let setting = Setting::new();
    let cut = &setting.cuts()[1];
    let train = |name: &str, further: &[&str]| {
        let (servers, out) = (setting.addresses(), setting.path(name));
        let fixed = ["fine-tune", "--servers", &servers, "--dataset", "photos", "--model", "model", "--json"];
        let trained = ["--runs", "2", "--epochs", "3", "--seed", "7", "--out", out.to_str().unwrap()];
        let words = fixed.iter().chain(&trained).chain(further).copied();
        run("tuner", words).unwrap().success().unwrap().json().unwrap()
    };
    let whole = train("whole.onnx", &[]);
    let split = train("split.onnx", &["--split-at", cut, "--extractor", setting.model(), "--split-coded"]);
    assert_eq!(split["split"]["cuts"][cut].as_u64(), split["images"].as_u64(), "{split}");
    let top1 = |summary: &Value| summary["validation_top1"].as_f64().unwrap();
    assert!((top1(&whole) - top1(&split)).abs() <= 0.02, "{} and {}", top1(&whole), top1(&split));
}

#[test]
fn what_cannot_be_split_is_refused_with_the_fix() {
    let setting = Setting::new();
    let refused = |further: &[&str], words: &[&str]| {
        let run = setting.tuner(&setting.addresses(), &setting.path("refused"), further);
        assert_ne!(run.code, Some(0), "{further:?}");
        words.iter().for_each(|word| assert!(run.stderr.contains(word), "{further:?}: {}", run.stderr));
    };
    let (model, cut) = (setting.model(), setting.cuts()[0].clone());
    refused(&["--split-at", &cut], &["--extractor FILE.onnx"]);
    refused(&["--split-at", "nowhere", "--extractor", model], &["cannot be split at nowhere", "profiler model"]);
    refused(&["--split-at", "a,a", "--extractor", model], &["twice"]);
    refused(&["--split-at", "features", "--extractor", model], &["no cut"]);
    refused(&["--split-coded"], &["--split-at"]);
    let other = setting.path("other.json");
    let mut profile = setting.profile.clone();
    profile["model_digest"] = json!("00".repeat(32));
    std::fs::write(&other, profile.to_string()).unwrap();
    refused(&["--split-by", other.to_str().unwrap(), "--extractor", model], &["--split-by", "profiler model"]);
    std::fs::write(&other, "{}").unwrap();
    refused(&["--split-by", other.to_str().unwrap(), "--extractor", model], &["no profile of a network"]);
}
