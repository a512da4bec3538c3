//! Models come in versions while a server runs: by fewest bytes, checked before they serve, exchanged between two
//! calls, undone without a byte; and whatever is cut, damaged or killed leaves the version before or the one after.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]
#![expect(clippy::disallowed_methods, reason = "a kill, and a push beside an extraction, come at some moment")]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use arrow_array::cast::AsArray;
use arrow_array::types::Float32Type;
use common::read_parts;
use headwater_onnx::{Limits, places};
use headwater_testdata::{Extractor, PhotoSet};
use headwater_tests::{Cuts, Run, Server, ServerOptions, program, run};
use headwater_types::Digest;
use headwater_wire::proto;
use headwater_wire::proto::models_client::ModelsClient;
use headwater_wire::proto::samples_client::SamplesClient;
use serde_json::Value;
use tempfile::TempDir;

/// Photos, and models over them.
struct Fleet {
    folder: TempDir,
}

// === impl Fleet ===

impl Fleet {
    fn new() -> Self {
        let fleet = Self { folder: TempDir::new().unwrap() };
        PhotoSet { classes: 3, per_class: 8, ..PhotoSet::default() }.write(&fleet.at("photos")).unwrap();
        std::fs::write(fleet.at("recipe.toml"), Extractor::RECIPE).unwrap();
        std::fs::write(fleet.at("one.onnx"), Extractor::onnx(1)).unwrap();
        std::fs::write(fleet.at("two.onnx"), trained(&Extractor::onnx(1))).unwrap();
        std::fs::write(fleet.at("other.onnx"), Extractor::onnx(2)).unwrap();
        fleet
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.at(name).display().to_string()
    }

    fn digest(&self, name: &str) -> String {
        Digest::of(&std::fs::read(self.at(name)).unwrap()).to_string()
    }

    /// A server without a model, that has a place for versions.
    fn empty(&self, state: &str) -> ServerOptions {
        let options = ServerOptions::new(&self.at("photos")).arg("--state").arg(self.at(state));
        options.args(["--max-batch", "4", "--inference-workers", "1"])
    }

    /// A server with this file as its model.
    fn with(&self, state: &str, file: &str) -> ServerOptions {
        self.empty(state).model("m", &self.at(file), &self.text("recipe.toml"))
    }

    /// Pushes a file as the model `m`, and has it serve.
    fn push(&self, servers: &str, file: &str, further: &[&str]) -> Run {
        let (model, bases) = (format!("m={}", self.text(file)), self.text("bases"));
        let fixed = ["push", "--servers", servers, "--model", &model, "--bases", &bases, "--activate", "--json"];
        run("tuner", [&fixed[..], further].concat()).unwrap()
    }

    /// The features of all photos by the model that serves, by key.
    fn features(&self, servers: &str) -> Features {
        let out = TempDir::new_in(self.folder.path()).unwrap();
        let out = out.path().join("features");
        let arguments = ["extract", "--servers", servers, "--dataset", "photos", "--model", "m", "--json", "--out"];
        run("tuner", [&arguments[..], &[out.to_str().unwrap()]].concat()).unwrap().success().unwrap();
        features(&out)
    }

    /// The features of all photos by this file, as a server of its own makes them.
    fn expected(&self, file: &str) -> Features {
        let server = self.with(&format!("alone-{file}"), file).start().unwrap();
        self.features(&server.address())
    }
}

/// Of each key the feature.
type Features = BTreeMap<String, Vec<f32>>;

fn features(folder: &Path) -> Features {
    let mut all = Features::new();
    for batch in read_parts(folder).unwrap() {
        let column = |name: &str| batch.column_by_name(name).unwrap();
        let (keys, rows) = (column("key").as_string::<i32>(), column("feature").as_fixed_size_list());
        for (row, key) in keys.iter().enumerate() {
            let feature = rows.value(row).as_primitive::<Float32Type>().values().to_vec();
            assert!(all.insert(key.unwrap().to_owned(), feature).is_none(), "{key:?} is there twice");
        }
    }
    all
}

/// The same model with a little of its weights changed, as after a step of training.
fn trained(model: &[u8]) -> Vec<u8> {
    let mut trained = model.to_vec();
    for place in places(model, &Limits::default()).unwrap() {
        if place.name.starts_with("features.gemm") {
            place.data.step_by(32).for_each(|at| trained[at] ^= 0x10);
        }
    }
    assert_ne!(trained, model);
    trained
}

/// The same model with so many bytes in its metadata that nothing can pack away.
fn padded(model: &[u8], bytes: usize) -> Vec<u8> {
    let mut dice = 1_u64;
    let mut letter = || {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        b'!' + (dice >> 33) as u8 % 90
    };
    let value: Vec<u8> = (0..bytes).map(|_| letter()).collect();
    let field = |tag: u8, content: &[u8]| {
        let mut length = content.len();
        let mut varint = Vec::new();
        while length >= 0x80 {
            varint.push(length as u8 | 0x80);
            length >>= 7;
        }
        varint.push(length as u8);
        [&[tag], &varint[..], content].concat()
    };
    let entry = [field(0x0a, b"pad"), field(0x12, &value)].concat();
    [model, &field(0x72, &entry)].concat()
}

fn done(run: Run) -> Value {
    run.success().unwrap().json().unwrap()
}

fn rollback(servers: &str) -> Run {
    run("tuner", ["rollback", "--servers", servers, "--model", "m", "--json"]).unwrap()
}

/// What a server says of its model `m`.
fn model(server: &Server) -> Value {
    let models = done(run("tuner", ["models", "--servers", &server.address(), "--json"]).unwrap());
    let all = models["servers"][0]["models"].as_array().unwrap();
    all.iter().find(|model| model["name"] == "m").cloned().unwrap_or_default()
}

#[test]
fn versions_come_by_fewest_bytes_serve_to_the_bit_and_are_undone_without_any() {
    let fleet = Fleet::new();
    let (one, two) = (fleet.expected("one.onnx"), fleet.expected("two.onnx"));
    assert_ne!(one, two);
    let server = fleet.with("state", "one.onnx").start().unwrap();
    let address = server.address();
    let base = fleet.text("one.onnx");
    let pushed = done(fleet.push(&address, "two.onnx", &["--base", &base]));
    let row = &pushed["servers"][0];
    assert_eq!((row["kind"].as_str(), row["base"].as_str()), (Some("delta"), Some(&*fleet.digest("one.onnx"))));
    let (sent, whole) = (row["bytes_sent"].as_u64().unwrap(), pushed["bytes"].as_u64().unwrap());
    assert!(sent > 0 && sent * 10 < whole, "{pushed}");
    assert_eq!((row["digest"].as_str(), row["revision"].as_u64()), (Some(&*fleet.digest("two.onnx")), Some(1)));
    assert_eq!(fleet.features(&address), two);
    let again = done(fleet.push(&address, "two.onnx", &[]));
    assert_eq!((again["servers"][0]["kind"].as_str(), again["bytes_sent"].as_u64()), (Some("equal"), Some(0)));

    // What was pushed serves after a restart too, and can be undone then.
    let server = server.restart().unwrap();
    let listed = model(&server);
    assert_eq!((listed["digest"].as_str(), listed["revision"].as_u64()), (Some(&*fleet.digest("two.onnx")), Some(2)));
    assert_eq!(listed["versions"].as_array().unwrap().len(), 2, "{listed}");
    assert_eq!(fleet.features(&address), two);
    let undone = done(rollback(&address));
    assert_eq!(undone["servers"][0]["digest"].as_str(), Some(&*fleet.digest("one.onnx")));
    assert_eq!(fleet.features(&address), one);
    let server = server.restart().unwrap();
    assert_eq!(model(&server)["digest"].as_str(), Some(&*fleet.digest("one.onnx")));
    let error = rollback(&address).error().unwrap().to_string();
    assert!(error.contains("no version of m before"), "{error}");

    // What was pushed before is a base for the next push by itself.
    let other = trained(&std::fs::read(fleet.at("two.onnx")).unwrap());
    std::fs::write(fleet.at("three.onnx"), [&other[..], b"\x32\x00"].concat()).unwrap();
    let third = done(fleet.push(&address, "three.onnx", &[]));
    assert_eq!(third["servers"][0]["kind"].as_str(), Some("delta"), "{third}");
}

#[test]
fn a_server_without_models_takes_one_and_the_settings_count_more_when_they_change() {
    let fleet = Fleet::new();
    let server = fleet.empty("state").start().unwrap();
    let address = server.address();
    let error = fleet.push(&address, "one.onnx", &[]).error().unwrap().to_string();
    assert!(error.contains(",recipe=R"), "{error}");
    let named = format!("m={},recipe={}", fleet.text("one.onnx"), fleet.text("recipe.toml"));
    let bases = fleet.text("bases");
    let push = ["push", "--servers", &address, "--model", &named, "--bases", &bases, "--activate", "--json"];
    let pushed = done(run("tuner", push).unwrap());
    assert_eq!(pushed["servers"][0]["kind"].as_str(), Some("whole"), "{pushed}");
    let one = fleet.expected("one.onnx");
    assert_eq!(fleet.features(&address), one);
    let server = server.restart().unwrap();
    assert_eq!(fleet.features(&address), one);
    drop(server);

    // The settings name another file now: it serves, and the version is kept.
    let server = fleet.with("state", "other.onnx").start().unwrap();
    assert_eq!(model(&server)["digest"].as_str(), Some(&*fleet.digest("other.onnx")));
    drop(server);
    let server = fleet.with("state", "other.onnx").start().unwrap();
    let undone = done(rollback(&server.address()));
    assert_eq!(undone["servers"][0]["digest"].as_str(), Some(&*fleet.digest("one.onnx")));
    assert_eq!(fleet.features(&server.address()), one);

    let bare = ServerOptions::new(&fleet.at("photos")).model("m", &fleet.at("one.onnx"), &fleet.text("recipe.toml"));
    let bare = bare.start().unwrap();
    let error = fleet.push(&bare.address(), "two.onnx", &[]).error().unwrap().to_string();
    assert!(error.contains("--state DIR"), "{error}");
}

#[test]
fn twenty_cuts_cost_less_than_two_hundredths() {
    let fleet = Fleet::new();
    let server = fleet.with("state", "one.onnx").start().unwrap();
    std::fs::write(fleet.at("large.onnx"), padded(&Extractor::onnx(3), 14_000_000)).unwrap();
    let cuts = Cuts::before(&server.address(), 20, 500_000).unwrap();
    let pushed = done(fleet.push(cuts.address(), "large.onnx", &[]));
    let bytes = pushed["bytes"].as_u64().unwrap();
    assert_eq!(cuts.left(), 0);
    assert_eq!(pushed["servers"][0]["kind"].as_str(), Some("whole"));
    println!("{} of {bytes} bytes went through, {} of them the model's", cuts.sent(), pushed["bytes_sent"]);
    assert!(cuts.sent() * 100 <= bytes * 102, "{} of {bytes}", cuts.sent());
    assert_eq!(model(&server)["digest"].as_str(), Some(&*fleet.digest("large.onnx")));
}

#[test]
fn a_run_that_began_with_one_version_ends_with_it() {
    let fleet = Fleet::new();
    let (one, two) = (fleet.expected("one.onnx"), fleet.expected("two.onnx"));
    let server = fleet.with("state", "one.onnx").start().unwrap();
    let address = server.address();
    let out = fleet.at("during");
    let plan = ["--limit-bandwidth", "60kbps", "--out", out.to_str().unwrap()];
    let fixed = ["extract", "--servers", &address, "--dataset", "photos", "--model", "m", "--json"];
    let mut extract = std::process::Command::new(program("tuner"));
    let mut extract = extract.args([&fixed[..], &plan].concat()).stdout(std::process::Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(1200));
    assert!(extract.try_wait().unwrap().is_none(), "the extraction was over before the push");
    done(fleet.push(&address, "two.onnx", &["--base", &fleet.text("one.onnx")]));
    assert!(extract.try_wait().unwrap().is_none(), "the extraction was over before the push");
    assert_eq!(fleet.features(&address), two);
    assert!(extract.wait().unwrap().success());
    assert_eq!(features(&out), one);
}

/// The features of all photos by the model of this digest, as a client asks that has described it.
fn fetched(server: &Server, digest: &str) -> Result<BTreeMap<u64, Vec<u8>>, String> {
    let digest = digest.parse::<Digest>().unwrap().as_bytes().to_vec();
    let request = proto::FetchRequest {
        dataset: "photos".to_owned(),
        samples: Some(proto::fetch_request::Samples::Range(proto::SampleRange { first: 0, count: 24 })),
        ways: Some(proto::fetch_request::Ways::Way(proto::Way::Features.into())),
        model: "m".to_owned(),
        model_digest: digest.into(),
        ..Default::default()
    };
    let fetch = async {
        let mut client = SamplesClient::connect(format!("http://{}", server.address())).await.unwrap();
        let mut batches = client.fetch(request).await?.into_inner();
        let mut all = BTreeMap::new();
        while let Some(batch) = batches.message().await? {
            all.extend(batch.samples.into_iter().map(|sample| (sample.index, sample.payload.to_vec())));
        }
        Ok::<_, tonic::Status>(all)
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(fetch).map_err(|status| status.message().to_owned())
}

#[test]
fn each_call_gets_the_model_that_was_described_or_a_refusal() {
    let fleet = Fleet::new();
    let server = fleet.with("state", "one.onnx").arg("--keep-generations").arg("5s").start().unwrap();
    let (one, two) = (fleet.digest("one.onnx"), fleet.digest("two.onnx"));
    let before = fetched(&server, &one).unwrap();
    assert_eq!(before.len(), 24);
    done(fleet.push(&server.address(), "two.onnx", &["--base", &fleet.text("one.onnx")]));
    assert_eq!(fetched(&server, &one).unwrap(), before, "the one before is held");
    let after = fetched(&server, &two).unwrap();
    assert!(after.len() == 24 && after != before);
    let error = fetched(&server, &fleet.digest("other.onnx")).unwrap_err();
    assert!(error.contains("is not held any more") && error.contains("tuner rollback"), "{error}");
    std::thread::sleep(Duration::from_secs(8));
    let error = fetched(&server, &one).unwrap_err();
    assert!(error.contains("model m is") && error.contains("is not held any more"), "{error}");
}

#[test]
fn a_kill_leaves_the_version_before_or_the_one_after() {
    let fleet = Fleet::new();
    std::fs::write(fleet.at("large.onnx"), padded(&trained(&Extractor::onnx(1)), 8_000_000)).unwrap();
    let mut server = fleet.with("state", "one.onnx").start().unwrap();
    let (before, after) = (fleet.digest("one.onnx"), fleet.digest("large.onnx"));
    for pause in [30, 120, 250, 400, 700] {
        let model = format!("m={}", fleet.text("large.onnx"));
        let push = ["push", "--servers", &server.address(), "--model", &model, "--activate", "--bases"];
        let mut push = std::process::Command::new(program("tuner"))
            .args([&push[..], &[&fleet.text("bases"), "--give-up-after", "1"]].concat())
            .stderr(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(pause));
        server = server.restart().unwrap();
        push.kill().unwrap();
        push.wait().unwrap();
        let serves = model_digest(&server);
        assert!(serves == before || serves == after, "after {pause} ms: {serves}");
    }
    let pushed = done(fleet.push(&server.address(), "large.onnx", &[]));
    assert_eq!(pushed["servers"][0]["digest"].as_str(), Some(&*after), "{pushed}");
    assert_eq!(model_digest(&server), after);
}

fn model_digest(server: &Server) -> String {
    model(server)["digest"].as_str().unwrap_or_default().to_owned()
}

/// Asks a server as no tuner would.
struct Raw {
    runtime: tokio::runtime::Runtime,
    models: ModelsClient<tonic::transport::Channel>,
}

// === impl Raw ===

impl Raw {
    fn of(server: &Server) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let models = runtime.block_on(ModelsClient::connect(format!("http://{}", server.address()))).unwrap();
        Self { runtime, models }
    }

    /// Pushes these bytes under this announcement, and says how that is refused.
    fn push(&mut self, offer: &proto::BeginPushRequest, bytes: &[u8]) -> Result<bool, String> {
        let (models, offer) = (&mut self.models, offer.clone());
        let transfer = offer.transfer.clone();
        let push = async {
            let begun = models.begin_push(offer).await?.into_inner();
            if begun.complete || bytes.is_empty() {
                return Ok(begun.complete);
            }
            let piece = proto::PushPieceRequest { transfer, place: 0, piece: bytes.to_vec().into() };
            let pieces = futures::stream::iter([piece]);
            let state = models.push_pieces(pieces).await?.into_inner().message().await?;
            Ok::<_, tonic::Status>(state.is_some_and(|state| state.complete))
        };
        self.runtime.block_on(push).map_err(|status| status.message().to_owned())
    }

    fn activate(&mut self, digest: Digest, revision: u64) -> Result<u64, String> {
        let digest = digest.as_bytes().to_vec().into();
        let request = proto::ActivateModelRequest { name: "m".to_owned(), digest, revision };
        let activated = self.runtime.block_on(self.models.activate_model(request));
        activated.map(|answer| answer.into_inner().revision).map_err(|status| status.message().to_owned())
    }
}

/// An announcement of these bytes as the model `m`.
fn whole(model: &[u8]) -> proto::BeginPushRequest {
    let digest: Vec<u8> = Digest::of(model).as_bytes().to_vec();
    proto::BeginPushRequest {
        name: "m".to_owned(),
        digest: digest.clone().into(),
        bytes: model.len() as u64,
        transfer: digest.into(),
        transfer_bytes: model.len() as u64,
        ..Default::default()
    }
}

#[test]
fn what_is_damaged_too_old_or_cannot_run_is_refused_by_name_and_changes_nothing() {
    let fleet = Fleet::new();
    let server = fleet.with("state", "one.onnx").start().unwrap();
    let mut raw = Raw::of(&server);
    let refused = |raw: &mut Raw, offer: &proto::BeginPushRequest, bytes: &[u8], words: &str| {
        let error = raw.push(offer, bytes).unwrap_err();
        assert!(error.contains(words), "{error}");
        assert_eq!(model_digest(&server), fleet.digest("one.onnx"));
    };
    let two = std::fs::read(fleet.at("two.onnx")).unwrap();
    let mut damaged = two.clone();
    damaged[1000] ^= 1;
    refused(&mut raw, &whole(&two), &damaged, "tampered with or damaged");
    refused(&mut raw, &whole(&two), &[&two[..], b"x"].concat(), "behind the end");
    refused(&mut raw, &whole(b"no model"), b"no model", "not an ONNX");
    let bytes = |digest: Digest| digest.as_bytes().to_vec();
    let (base, transfer) = (bytes(Digest::of(b"gone")).into(), bytes(Digest::of(b"t")).into());
    let of_none = proto::BeginPushRequest { base, transfer, ..whole(&two) };
    refused(&mut raw, &of_none, b"", "is not here: push the whole model");
    let base = bytes(Digest::of(&std::fs::read(fleet.at("one.onnx")).unwrap())).into();
    let junk = vec![7; 500];
    let transfer = bytes(Digest::of(&junk)).into();
    let no_delta = proto::BeginPushRequest { base, transfer, transfer_bytes: 500, ..whole(&two) };
    refused(&mut raw, &no_delta, &junk, "not a delta");
    let huge = proto::BeginPushRequest { bytes: u64::MAX, transfer_bytes: u64::MAX, ..whole(&two) };
    refused(&mut raw, &huge, b"", "more than the limit");
    let stray = proto::PushPieceRequest { transfer: vec![9; 32].into(), place: 0, piece: vec![1].into() };
    let stray = futures::stream::iter([stray]);
    let answer = async { raw.models.push_pieces(stray).await?.into_inner().message().await };
    let answer = raw.runtime.block_on(answer).unwrap_err();
    assert!(answer.message().contains("announce it before"), "{answer}");

    // Kept, and it cannot run by the recipe: it takes another size.
    let digest = Digest::of(&two);
    assert_eq!(
        raw.activate(digest, 1).unwrap_err(),
        format!("model m has no version {} here: push it first", digest.short())
    );
    assert_eq!(raw.push(&whole(&two), &two), Ok(true));
    let mut wrong = whole(&padded(&two, 10));
    wrong.recipe = Extractor::RECIPE.replace("64", "32").replace("testdata-eval", "small");
    assert_eq!(raw.push(&wrong, &padded(&two, 10)), Ok(true));
    let error = raw.activate(Digest::of(&padded(&two, 10)), 1).unwrap_err();
    assert!(error.contains("32"), "{error}");
    assert_eq!(model_digest(&server), fleet.digest("one.onnx"));
    let same = proto::BeginPushRequest { recipe: wrong.recipe.clone(), ..whole(&two) };
    refused(&mut raw, &same, b"", "has this file already");
    assert_eq!(raw.activate(digest, 7), Ok(7));
    assert_eq!(raw.activate(digest, 7), Ok(7), "the same call twice is one");
    let old = raw.activate(Digest::of(&std::fs::read(fleet.at("one.onnx")).unwrap()), 6).unwrap_err();
    assert!(old.contains("revision 6 of model m is older than revision 7"), "{old}");
    assert_eq!(model_digest(&server), fleet.digest("two.onnx"));
}

#[test]
fn a_server_that_was_away_during_two_pushes_has_the_last_one_soon_after_its_start() {
    let fleet = Fleet::new();
    std::fs::write(fleet.at("three.onnx"), trained(&trained(&Extractor::onnx(1)))).unwrap();
    let three = fleet.expected("two.onnx");
    let here = fleet.with("here", "one.onnx").arg("--partition").arg("1/2").start().unwrap();
    let from = here.address();
    let away = fleet.with("away", "one.onnx").arg("--partition").arg("2/2").arg("--models-from").arg(&from);
    let mut away = away.start().unwrap();
    let both = format!("{from},{}", away.address());
    let base = fleet.text("one.onnx");
    away.kill().unwrap();
    for file in ["other.onnx", "two.onnx"] {
        let pushed = fleet.push(&both, file, &["--base", &base, "--give-up-after", "1"]);
        let summary = pushed.json().unwrap();
        assert!(pushed.code != Some(0) && summary["servers"][1]["error"].is_string(), "{summary}");
        assert_eq!(summary["servers"][0]["active"].as_bool(), Some(true), "{summary}");
    }
    let away = away.restart().unwrap();
    assert_eq!(model_digest(&away), fleet.digest("two.onnx"));
    assert_eq!(model(&away)["revision"].as_u64(), Some(2));
    // Both halves of the dataset have the features of one model.
    assert_eq!(fleet.features(&both), three);
    let undone = rollback(&both);
    let error = undone.error().unwrap().to_string();
    assert!(error.contains("would go back to version") && error.contains("nothing was rolled back"), "{error}");
    assert_eq!(model_digest(&here), fleet.digest("two.onnx"));

    // While it runs it hears of what is pushed to the others.
    let pushed = done(fleet.push(&from, "other.onnx", &[]));
    assert_eq!(pushed["servers"][0]["kind"].as_str(), Some("equal"), "{pushed}");
    eventually(|| model_digest(&away) == fleet.digest("other.onnx"));
}

/// Waits until something is so.
fn eventually(is_so: impl Fn() -> bool) {
    let end = std::time::Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(std::time::Instant::now() < end, "it did not come about");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn one_command_trains_a_head_pushes_it_and_has_it_label() {
    let fleet = Fleet::new();
    let one = fleet.with("one", "one.onnx").arg("--partition").arg("1/2").start().unwrap();
    let two = fleet.with("two", "one.onnx").arg("--partition").arg("2/2").start().unwrap();
    let (servers, out, bases) =
        (format!("{},{}", one.address(), two.address()), fleet.text("head.onnx"), fleet.text("bases"));
    let fixed = ["fine-tune", "--servers", &servers, "--dataset", "photos", "--model", "m", "--runs", "1", "--json"];
    let further = ["--out", &out, "--push", "cats", "--relabel", "--bases", &bases];
    let summary = done(run("tuner", [&fixed[..], &further].concat()).unwrap());
    let digest = summary["head_digest"].as_str().unwrap();
    for row in summary["push"]["servers"].as_array().unwrap() {
        assert_eq!((row["digest"].as_str(), row["active"].as_bool()), (Some(digest), Some(true)), "{summary}");
    }
    assert_eq!(summary["relabel"]["labelled"].as_u64(), Some(24), "{summary}");
    assert_eq!(summary["relabel"]["servers"][0]["model_digest"].as_str(), Some(digest));
    // Another seed is another head: it labels all photos anew, without one being decoded.
    let again = done(run("tuner", [&fixed[..], &further, &["--seed", "2"]].concat()).unwrap());
    assert_eq!(again["push"]["servers"][0]["revision"].as_u64(), Some(2), "{again}");
    assert_ne!(again["head_digest"], summary["head_digest"]);
    let relabel = &again["relabel"];
    assert_eq!((relabel["labelled"].as_u64(), relabel["decoded"].as_u64()), (Some(24), Some(0)), "{again}");

    // A head of a model that was replaced does not label in silence; it fits again after a rollback.
    let pushed = done(fleet.push(&servers, "two.onnx", &["--base", &fleet.text("one.onnx")]));
    assert_eq!(pushed["servers"][0]["unfit_heads"].as_array().unwrap().len(), 1, "{pushed}");
    let relabel = ["relabel", "--servers", &servers, "--dataset", "photos", "--model", "cats", "--json"];
    let error = run("tuner", relabel).unwrap().error().unwrap().to_string();
    assert!(error.contains("head cats does not fit"), "{error}");
    let two = two.restart().unwrap();
    assert_eq!(model_digest(&two), fleet.digest("two.onnx"));
    done(rollback(&servers));
    assert_eq!(done(run("tuner", relabel).unwrap())["skipped"].as_u64(), Some(24));
    let missing = ["fine-tune", "--servers", &servers, "--dataset", "photos", "--model", "m", "--push", "m", "--json"];
    let error = run("tuner", missing).unwrap().error().unwrap().to_string();
    assert!(error.contains("give the head another name"), "{error}");
}
