//! Photos are taken into a dataset: whole or not at all, the same bytes once, labelled as any photo of it, and nothing
//! that is there is ever touched.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]
#![expect(clippy::disallowed_methods, reason = "a kill, and a look at how far a server is, come at some moment")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use headwater_testdata::{Extractor, PhotoSet, python};
use headwater_tests::{BUCKET, Moto, Run, Server, ServerOptions, program, run};
use serde_json::Value;
use tempfile::TempDir;

/// A dataset, photos that are to come, and a model with a head that labels.
struct Stage {
    folder: TempDir,
}

// === impl Stage ===

impl Stage {
    /// With three times so many photos that are to come.
    fn new(per_class: usize) -> Self {
        let stage = Self { folder: TempDir::new().unwrap() };
        let set = PhotoSet { classes: 3, per_class: 8, ..PhotoSet::default() };
        set.write(&stage.photos()).unwrap();
        PhotoSet { seed: 7, per_class, min_side: 64, max_side: 160, ..set }.write(&stage.new_photos()).unwrap();
        std::fs::write(stage.at("model.onnx"), Extractor::onnx(1)).unwrap();
        std::fs::write(stage.at("recipe.toml"), Extractor::RECIPE).unwrap();
        let server = stage.with_model(ServerOptions::new(&stage.photos())).start().unwrap();
        let (servers, head) = (server.address(), stage.at("head.onnx").display().to_string());
        let fixed = ["--dataset", "photos", "--model", "model", "--runs", "1", "--seed", "1", "--out", &head];
        run("tuner", [&["fine-tune", "--servers", &servers][..], &fixed].concat()).unwrap().success().unwrap();
        stage
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn photos(&self) -> PathBuf {
        self.at("photos")
    }

    fn new_photos(&self) -> PathBuf {
        self.at("new")
    }

    fn with_model(&self, server: ServerOptions) -> ServerOptions {
        server.model("model", &self.at("model.onnx"), self.at("recipe.toml").to_str().unwrap())
    }

    /// A server with the head that takes photos.
    fn serve(&self, server: ServerOptions, ingest: &str) -> ServerOptions {
        let head = format!("head={}", self.at("head.onnx").display());
        let server = self.with_model(server).arg("--head").arg(head).arg("--state").arg(self.at("state"));
        server.arg("--ingest").arg(ingest)
    }

    fn start(&self, ingest: &str) -> Server {
        self.serve(ServerOptions::new(&self.photos()), ingest).metrics().start().unwrap()
    }
}

/// Files below a folder with their bytes, by their paths there.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
        let name = entry.file_name().into_string().unwrap();
        match entry.path().is_dir() {
            true => found.extend(files(&entry.path()).into_iter().map(|(key, bytes)| (format!("{name}/{key}"), bytes))),
            false => drop(found.insert(name, std::fs::read(entry.path()).unwrap())),
        }
    }
    found
}

fn ingest(server: &str, further: &[&str]) -> Run {
    run("tuner", [&["ingest", "--servers", server, "--dataset", "photos", "--json"][..], further].concat()).unwrap()
}

#[track_caller]
fn done(run: Run) -> Value {
    run.success().unwrap().json().unwrap()
}

#[track_caller]
fn check(summary: &Value, [ingested, duplicates, failed]: [u64; 3]) {
    for (name, count) in [("ingested", ingested), ("duplicates", duplicates), ("failed", failed)] {
        assert_eq!(summary[name].as_u64(), Some(count), "{name}: {summary}");
    }
}

/// The key of each file that was taken in, or is there.
fn keys(summary: &Value) -> BTreeMap<String, String> {
    let photos = summary["photos"].as_array().unwrap().iter();
    let key = |photo: &Value| Some((photo["file"].as_str()?.to_owned(), photo["key"].as_str()?.to_owned()));
    photos.filter_map(key).collect()
}

/// The labels of all photos by the head, once there are so many: the best label of each key.
fn labels(server: &str, photos: usize) -> BTreeMap<String, String> {
    let began = Instant::now();
    loop {
        let asked = ["labels", "--servers", server, "--dataset", "photos", "--model", "head", "--uncertain", "--json"];
        let answer = run("tuner", asked).unwrap();
        let of = |photo: &Value| (text(photo, "key"), text(photo, "label"));
        let all = answer.json().ok().and_then(|answer| Some(answer["photos"].as_array()?.iter().map(of).collect()));
        match all {
            Some(all) if BTreeMap::len(&all) == photos => return all,
            all => assert!(began.elapsed() < Duration::from_secs(60), "{photos}: {all:?} {}", answer.stderr),
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap().to_owned()
}

#[test]
fn photos_are_there_with_labels_whole_and_once_and_nothing_else_is_touched() {
    let stage = Stage::new(40);
    let before = files(&stage.photos());
    let class = before.keys().next().unwrap().split('/').next().unwrap().to_owned();
    let server = stage.start("photos");
    let address = server.address();
    let new: Vec<_> = files(&stage.new_photos()).into_keys().map(|key| stage.new_photos().join(key)).collect();
    let paths: Vec<_> = new.iter().take(6).map(|path| path.to_str().unwrap()).collect();

    let summary = done(ingest(&address, &[&["--label", &class, "--wait", "--top-k", "2"][..], &paths].concat()));
    check(&summary, [6, 0, 0]);
    let photos = summary["photos"].as_array().unwrap();
    assert!(photos.iter().all(|photo| photo["labels"][0]["best"].as_array().unwrap().len() == 2), "{summary}");
    let by_key = keys(&summary);
    for (file, key) in &by_key {
        assert!(key.starts_with(&format!("{class}/")), "{key}");
        assert_eq!(std::fs::read(stage.photos().join(key)).unwrap(), std::fs::read(file).unwrap());
    }
    let said: BTreeMap<_, _> =
        photos.iter().map(|photo| (text(photo, "key"), text(&photo["labels"][0]["best"][0], "label"))).collect();
    let labelled = labels(&address, before.len() + 6);
    assert!(said.iter().all(|(key, label)| labelled[key] == *label), "{said:?} {labelled:?}");

    // The same bytes, under another name and elsewhere, are the same photo; another photo of the same name is another.
    let copy = stage.at("copy.jpg");
    std::fs::copy(paths[0], &copy).unwrap();
    let listed = stage.photos().join(before.keys().next().unwrap());
    let again = done(ingest(&address, &[copy.to_str().unwrap(), listed.to_str().unwrap()]));
    check(&again, [0, 2, 0]);
    assert_eq!(keys(&again)[copy.to_str().unwrap()], by_key[paths[0]]);
    assert_eq!(keys(&again)[listed.to_str().unwrap()], *before.keys().next().unwrap());
    let name = Path::new(paths[0]).file_name().unwrap();
    let namesake = stage.at("other").join(name);
    std::fs::create_dir(stage.at("other")).unwrap();
    std::fs::copy(&new[7], &namesake).unwrap();
    let other = done(ingest(&address, &["--label", &class, namesake.to_str().unwrap()]));
    check(&other, [1, 0, 0]);
    let key = keys(&other).into_values().next().unwrap();
    assert!(key.contains('-') && key != by_key[paths[0]], "{key}");
    let after = files(&stage.photos());
    assert!(before.iter().all(|(key, bytes)| after[key] == *bytes), "nothing that was there is touched");
    assert_eq!(after.len(), before.len() + 7, "{:?}", after.keys());
    labels(&address, before.len() + 7);
    for (outcome, count) in [("taken", 7.0), ("duplicate", 2.0), ("refused", 0.0)] {
        let name = format!("headwater_ingest_photos_total{{dataset=\"photos\",outcome=\"{outcome}\"}}");
        assert_eq!(server.metric(&name).unwrap(), Some(count), "{outcome}");
    }
}

#[test]
fn what_cannot_be_taken_in_is_refused_by_name_and_is_nowhere() {
    let stage = Stage::new(40);
    let before = files(&stage.photos());
    let class = before.keys().next().unwrap().split('/').next().unwrap().to_owned();
    let photo = stage.new_photos().join(files(&stage.new_photos()).into_keys().next().unwrap());
    let (photo, bytes) = (photo.to_str().unwrap(), std::fs::read(&photo).unwrap());
    let (torn, text) = (stage.at("torn.jpg"), stage.at("text.jpg"));
    std::fs::write(&torn, &bytes[..bytes.len() / 2]).unwrap();
    std::fs::write(&text, "no photo").unwrap();
    let refused = |server: &str, arguments: &[&str], words: &str| {
        let run = ingest(server, arguments);
        assert_ne!(run.code, Some(0), "{arguments:?}: {}", run.stdout);
        assert!(run.stderr.contains(words), "{arguments:?}: {}", run.stderr);
        run
    };
    let plain = stage.with_model(ServerOptions::new(&stage.photos())).start().unwrap();
    refused(&plain.address(), &[photo], "--ingest photos");
    drop(plain);

    let total: usize = before.values().map(Vec::len).sum();
    let server = stage.start(&format!("photos,quota={}B", total + bytes.len() - 1));
    let address = server.address();
    for (arguments, words) in [
        (&["--label", "Bananna", photo][..], "--new-class"),
        (&["--label", "a/b", photo], "slash"),
        (&["--label", "..", photo], "hidden"),
        (&["--wait", "--model", "nobody", photo], "registered are"),
        (&["--model", "head", photo], "--wait"),
        (&[photo], "quota"),
    ] {
        refused(&address, arguments, words);
    }
    let bad = [torn.to_str().unwrap(), text.to_str().unwrap(), "/no/such/file.jpg"];
    let bad = refused(&address, &[&["--label", &class, "--max-failures", "0"][..], &bad].concat(), "max-failures");
    let summary = bad.json().unwrap();
    check(&summary, [0, 0, 3]);
    let errors: Vec<_> = summary["photos"].as_array().unwrap().iter().map(|photo| photo["error"].to_string()).collect();
    assert!(errors.iter().all(|error| error.len() > 10), "{errors:?}");
    drop(server);
    let after: BTreeMap<_, _> = files(&stage.photos());
    assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());

    for (arguments, words) in [
        (&["--ingest", "nothing"][..], "no --dataset"),
        (&["--ingest", "photos,quota=much"], "quota"),
        (&["--ingest", "photos", "--partition", "1/2"], "serve it whole"),
        (&["--ingest", "photos,label-by=nobody"], "no --model or --head"),
        (&["--ingest", "photos", "--cpu-workers", "0"], "--cpu-workers 1"),
    ] {
        let photos = stage.photos().display().to_string();
        let run = run("storage-server", [&["serve", "--dataset", "photos", "--data", &photos][..], arguments].concat());
        let run = run.unwrap();
        assert!(run.code == Some(2) && run.stderr.contains(words), "{arguments:?}: {:?} {}", run.code, run.stderr);
    }
}

/// `tuner ingest` of these photos, under way.
fn begin(address: &str, class: &str, photos: &[PathBuf]) -> Child {
    let mut command = Command::new(program("tuner"));
    command.args(["ingest", "--servers", address, "--dataset", "photos", "--json", "--label", class, "-"]);
    let mut tuner = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let list: String = photos.iter().map(|photo| format!("{}\n", photo.display())).collect();
    tuner.stdin.take().unwrap().write_all(list.as_bytes()).unwrap();
    tuner
}

/// So many clients put all new photos into a dataset, while its server is killed so often.
fn killed(stage: &Stage, clients: usize, kills: usize) {
    let before = files(&stage.photos());
    let class = before.keys().next().unwrap().split('/').next().unwrap().to_owned();
    let new = files(&stage.new_photos());
    let paths: Vec<_> = new.keys().map(|key| stage.new_photos().join(key)).collect();
    let mut server = stage.start("photos");
    let (address, began) = (server.address(), Instant::now());
    let tuners: Vec<_> =
        paths.chunks(paths.len().div_ceil(clients)).map(|photos| begin(&address, &class, photos)).collect();
    for kill in 1..=kills {
        let enough = before.len() / 3 + new.len() * kill / (kills + 1);
        while std::fs::read_dir(stage.photos().join(&class)).unwrap().count() < enough {
            assert!(began.elapsed() < Duration::from_secs(600));
            std::thread::sleep(Duration::from_millis(2));
        }
        server = server.restart().unwrap();
    }
    let mut by_key = BTreeMap::new();
    for tuner in tuners {
        let output = tuner.wait_with_output().unwrap();
        let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(output.status.success(), "{summary} {}", String::from_utf8_lossy(&output.stderr));
        by_key.extend(keys(&summary));
    }
    let ingested = began.elapsed();
    assert_eq!(by_key.len(), new.len(), "each was answered");
    let after = files(&stage.photos());
    for (file, key) in &by_key {
        assert_eq!(after[key], std::fs::read(file).unwrap(), "{key}");
    }
    let visible: Vec<_> = after.keys().filter(|key| !key.starts_with('.')).collect();
    assert_eq!(visible.len(), before.len() + new.len(), "each once, and nothing half written: {visible:?}");
    let labelled = labels(&server.address(), visible.len());
    assert!(visible.iter().all(|key| labelled.contains_key(*key)));
    let [taken, labelled] = [ingested, began.elapsed()].map(|time| time.as_secs_f64());
    let photos = new.len();
    println!(
        "{photos} photos, {clients} clients, {kills} kills: taken in in {taken:.1} s, labelled in {labelled:.1} s"
    );
}

#[test]
fn killed_on_the_way_each_photo_that_was_answered_is_there_whole_once_and_labelled() {
    killed(&Stage::new(40), 2, 2);
}

#[test]
#[ignore = "minutes: scripts/torture ingest"]
fn ten_thousand_photos_by_sixteen_clients_with_two_kills() {
    killed(&Stage::new(3334), 16, 2);
}

#[test]
fn a_bucket_takes_photos_and_replaces_none() {
    let stage = Stage::new(40);
    let Some(moto) = Moto::start(&stage.photos()).unwrap() else { return };
    let before = files(&stage.photos());
    let class = before.keys().next().unwrap().split('/').next().unwrap().to_owned();
    let server = stage.serve(moto.serve(BUCKET), "photos").start().unwrap();
    let new: Vec<_> = files(&stage.new_photos()).into_keys().map(|key| stage.new_photos().join(key)).collect();
    let paths: Vec<_> = new.iter().take(4).map(|path| path.to_str().unwrap()).collect();
    let arguments = [&["--label", &class, "--wait"][..], &paths].concat();
    let first = done(ingest(&server.address(), &arguments));
    check(&first, [4, 0, 0]);
    // What stands under the name of one of them is another photo's.
    let namesake = stage.at(Path::new(paths[0]).file_name().unwrap().to_str().unwrap());
    std::fs::copy(&new[5], &namesake).unwrap();
    check(&done(ingest(&server.address(), &["--label", &class, namesake.to_str().unwrap()])), [1, 0, 0]);
    labels(&server.address(), before.len() + 5);
    let server = server.restart().unwrap();
    let again = done(ingest(&server.address(), &arguments));
    check(&again, [0, 4, 0]);
    assert_eq!(keys(&again), keys(&first));
    let labelled = labels(&server.address(), before.len() + 5);
    assert!(keys(&first).values().all(|key| labelled.contains_key(key)));
    export(&server, &moto, before.len() + 5);
}

/// Labels go to a bucket as they go to a file.
fn export(server: &Server, moto: &Moto, photos: usize) {
    let mut command = Command::new(program("tuner"));
    command.args(["labels", "--servers", &server.address(), "--dataset", "photos", "--model", "head", "--json"]);
    command.args(["--export", "s3://bucket/tables/labels.parquet"]).envs(moto.variables());
    let output = command.output().unwrap();
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["photos"].as_u64(), Some(photos as u64), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(summary["export"], "s3://bucket/tables/labels.parquet");
    let read = r"
import boto3, io, os, pyarrow.parquet
s3 = boto3.client('s3', endpoint_url=os.environ['AWS_ENDPOINT_URL'])
table = s3.get_object(Bucket='bucket', Key='tables/labels.parquet')['Body'].read()
print(pyarrow.parquet.read_table(io.BytesIO(table)).num_rows)
";
    let table = Command::new(python().unwrap()).args(["-c", read]).envs(moto.variables()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&table.stdout).trim(), photos.to_string(), "{table:?}");
}
