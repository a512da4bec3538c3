//! A model with its weights beside its file, that takes bytes with the colours last, serves as one that was written for
//! headwater: from the start, pushed, joined, and inferred by a client; and no byte of it is changed unseen.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use std::os::unix::fs::symlink;
use std::path::PathBuf;

use headwater_onnx::{Dim, ElementType, GraphBuilder, ValueFacts};
use headwater_testdata::PhotoSet;
use headwater_tests::{Fetched, Run, Server, ServerOptions, fetch, run};
use serde_json::Value;
use tempfile::TempDir;

const RECIPE: &str = "name = 'eight'\n[[stage]]\nop = 'decode'\n[[stage]]\nop = 'resize'\nsize = [8, 8]\n\
                      [[stage]]\nop = 'to-tensor'\n[[stage]]\nop = 'normalize'\nmean = [0.5, 0.5, 0.5]\n\
                      std = [0.25, 0.25, 0.25]\n";
const WEIGHTS: [f32; 12] = [0.5, -1.0, 2.0, 0.25, 1.5, -0.5, 1.0, 1.0, 1.0, -2.0, 0.125, 3.0];

/// Where the weights of a model are.
#[derive(Clone, Copy, PartialEq)]
enum Weights {
    Inside,
    /// In `weights.bin`, behind four bytes of nobody.
    Beside,
}

/// The mean of each colour of `x`, times weights: `features` `[N, 4]`.
fn model(weights: Weights, input: &ValueFacts, order: Option<&[usize]>) -> Vec<u8> {
    let mut graph = GraphBuilder::new("exports");
    graph.input(input).operator("Cast", &["x"], "floats", &[("to", ElementType::FLOAT32.0)]);
    match order {
        Some(order) => graph.transpose("first", "floats", order),
        None => graph.operator("Identity", &["floats"], "first", &[]),
    };
    match weights {
        Weights::Inside => graph.constant("w", &[4, 3], &WEIGHTS),
        Weights::Beside => graph.outside("w", &[4, 3], &[("location", "weights.bin"), ("offset", "4")]),
    };
    graph.constant("b", &[4], &[0.0; 4]).global_average_pool("pool", "first").flatten("flat", "pool");
    graph.gemm("features", ["flat", "w", "b"]);
    graph.output(&ValueFacts::float32("features", &[Dim::symbol("N"), Dim::Fixed(4)]));
    graph.finish()
}

fn images(element: ElementType, axes: [u64; 3]) -> ValueFacts {
    let dims = [Dim::symbol("N")].into_iter().chain(axes.map(Dim::Fixed)).collect();
    ValueFacts { name: "x".into(), element: Some(element), dims: Some(dims) }
}

/// Photos, and a model with its weights beside it.
struct Setting {
    folder: TempDir,
}

// === impl Setting ===

impl Setting {
    fn new() -> Self {
        let setting = Self { folder: TempDir::new().unwrap() };
        PhotoSet { classes: 3, per_class: 6, ..PhotoSet::default() }.write(&setting.at("photos")).unwrap();
        let bytes = images(ElementType::UINT8, [8, 8, 3]);
        let order = Some(&[0, 3, 1, 2][..]);
        std::fs::write(setting.at("beside.onnx"), model(Weights::Beside, &bytes, order)).unwrap();
        std::fs::write(setting.at("inside.onnx"), model(Weights::Inside, &bytes, order)).unwrap();
        setting.weigh(WEIGHTS);
        std::fs::write(setting.at("recipe.toml"), RECIPE).unwrap();
        setting
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.at(name).display().to_string()
    }

    /// Writes the weights that lie beside.
    fn weigh(&self, weights: [f32; 12]) {
        let weights = weights.iter().flat_map(|weight| weight.to_le_bytes());
        std::fs::write(self.at("weights.bin"), [9, 9, 9, 9].into_iter().chain(weights).collect::<Vec<_>>()).unwrap();
    }

    fn said(&self) -> String {
        format!("{},input=uint8", self.text("recipe.toml"))
    }

    fn options(&self) -> ServerOptions {
        ServerOptions::new(&self.at("photos")).args(["--max-batch", "4", "--inference-workers", "1"])
    }

    fn server(&self, file: &str) -> Server {
        self.options().model("m", &self.at(file), &self.said()).start().unwrap()
    }

    fn features(&self, server: &Server) -> Fetched {
        let out = TempDir::new_in(self.folder.path()).unwrap();
        fetch(&[server.address()], out.path(), &["--cut", "features", "--model", "m"]).unwrap()
    }

    fn push(&self, server: &Server) -> Value {
        let (model, bases) = (format!("m={},recipe={}", self.text("beside.onnx"), self.said()), self.text("bases"));
        let servers = server.address();
        let words = ["push", "--servers", &servers, "--model", &model, "--bases", &bases, "--activate", "--json"];
        run("tuner", words).unwrap().success().unwrap().json().unwrap()["servers"][0].clone()
    }

    /// What a check of a server's settings says of this file.
    fn refusal(&self, file: &str, said: &str) -> String {
        let model = format!("m={},recipe={said}", self.text(file));
        let photos = self.text("photos");
        let words = ["serve", "--data", &photos, "--dataset", "photos", "--model", &model, "--check-config"];
        let checked: Run = run("storage-server", words).unwrap();
        assert_ne!(checked.code, Some(0), "{model}");
        checked.stderr
    }
}

#[test]
fn a_model_with_its_weights_beside_it_serves_as_one_file_does() {
    let setting = Setting::new();
    let (beside, inside) = (setting.server("beside.onnx"), setting.server("inside.onnx"));
    let features = setting.features(&beside);
    assert_eq!(features.arrays.len(), 18);
    assert!(features.arrays == setting.features(&inside).arrays);
    // The same network as it would be written for headwater: float32, the colours first.
    let plain = model(Weights::Inside, &images(ElementType::FLOAT32, [3, 8, 8]), None);
    std::fs::write(setting.at("plain.onnx"), plain).unwrap();
    let recipe = RECIPE
        .split("[[stage]]\nop = 'normalize'")
        .next()
        .unwrap()
        .replace("'to-tensor'", "'to-tensor'\nscale = 'byte'");
    std::fs::write(setting.at("plain.toml"), recipe).unwrap();
    let plain = setting.options().model("m", &setting.at("plain.onnx"), &setting.text("plain.toml")).start().unwrap();
    assert!(features.arrays == setting.features(&plain).arrays);

    // A client infers with the file as it was given to the server, and a head is joined to it.
    let (servers, extractor) = (beside.address(), setting.text("beside.onnx"));
    let asked = ["--servers", &servers, "--dataset", "photos", "--model", "m"];
    let profile = setting.text("photos.profile");
    let measured = ["dataset", "--extractor", &extractor, "--repeats", "1", "--out", &profile];
    run("profiler", measured.iter().chain(&asked)).unwrap().success().unwrap();
    let (head, joined) = (setting.text("head.onnx"), setting.text("joined.onnx"));
    let tuned = ["fine-tune", "--join", &extractor, "--out", &head, "--joined-out", &joined, "--runs", "1"];
    run("tuner", tuned.iter().chain(&asked)).unwrap().success().unwrap();
    // What was said of its input is in the joined file, which needs neither the weights beside it nor a setting.
    let alone = TempDir::new().unwrap();
    std::fs::copy(&joined, alone.path().join("joined.onnx")).unwrap();
    let recipe = format!("{},output=probs", setting.text("recipe.toml"));
    let joined = setting.options().model("m", &alone.path().join("joined.onnx"), &recipe).start().unwrap();
    assert_eq!(setting.features(&joined).arrays.len(), 18);
}

#[test]
fn what_is_pushed_is_the_file_with_its_weights_and_another_weight_is_another_model() {
    let setting = Setting::new();
    let server = setting.options().arg("--state").arg(setting.at("state")).start().unwrap();
    let first = setting.push(&server);
    assert_eq!(first["kind"].as_str(), Some("whole"), "{first}");
    let features = setting.features(&server);
    assert!(features.arrays == setting.features(&setting.server("beside.onnx")).arrays);
    assert_eq!(setting.push(&server)["kind"].as_str(), Some("equal"));
    let mut other = WEIGHTS;
    other[11] = 4.0;
    setting.weigh(other);
    let second = setting.push(&server);
    assert_ne!(first["digest"], second["digest"], "{second}");
    assert!(setting.features(&server).arrays != features.arrays);
}

#[test]
fn weights_that_are_missing_cut_off_or_elsewhere_are_refused_by_name_before_anything_starts() {
    let setting = Setting::new();
    let (said, weights) = (setting.said(), setting.at("weights.bin"));
    let normalized = setting.refusal("beside.onnx", &setting.text("recipe.toml"));
    assert!(normalized.contains("add ,input=uint8"), "{normalized}");
    let content = std::fs::read(&weights).unwrap();
    std::fs::write(&weights, &content[..content.len() - 1]).unwrap();
    let cut_off = setting.refusal("beside.onnx", &said);
    assert!(cut_off.contains("weights.bin") && cut_off.contains("it is cut off"), "{cut_off}");
    std::fs::rename(&weights, setting.at("elsewhere.bin")).unwrap();
    let missing = setting.refusal("beside.onnx", &said);
    assert!(missing.contains("weights.bin") && missing.contains("there is no such file"), "{missing}");
    symlink(setting.at("elsewhere.bin"), &weights).unwrap();
    let link = setting.refusal("beside.onnx", &said);
    assert!(link.contains("it is a link") && link.contains("cp -L"), "{link}");
}

#[test]
fn a_network_with_its_weights_beside_it_is_measured_at_its_cuts_and_planned() {
    let setting = Setting::new();
    let network = model(Weights::Beside, &images(ElementType::FLOAT32, [3, 8, 8]), None);
    std::fs::write(setting.at("network.onnx"), network).unwrap();
    let (network, recipe, profile) =
        (setting.text("network.onnx"), setting.text("recipe.toml"), setting.text("profile"));
    let words = ["model", "--model", &network, "--recipe", &recipe, "--seconds", "0.01", "--batches", "1", "--json"];
    let measured = run("profiler", words).unwrap().success().unwrap();
    std::fs::write(setting.at("profile"), &measured.stdout).unwrap();
    let plan = ["plan", "--model", &network, "--profile", &profile, "--servers-up-to", "2", "--bandwidth", "1Gbps"];
    let planned: Value = run("tuner", [&plan[..], &["--json"]].concat()).unwrap().success().unwrap().json().unwrap();
    assert_eq!(planned["model_digest"], measured.json().unwrap()["model_digest"], "{planned}");
    setting.weigh([1.0; 12]);
    let refused = run("tuner", plan).unwrap();
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert!(refused.stderr.contains("profile this file with profiler model"), "{}", refused.stderr);
}
