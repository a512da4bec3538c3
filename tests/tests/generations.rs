//! A server lists its datasets anew while it serves: streams keep what they began with, and new calls get what is new.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use headwater_testdata::PhotoSet;
use headwater_tests::{Logged, Run, Server, ServerOptions, program, run};
use headwater_types::Differences;
use headwater_wire::proto::datasets_client::DatasetsClient;
use headwater_wire::proto::losses_client::LossesClient;
use headwater_wire::proto::samples_client::SamplesClient;
use headwater_wire::{differences, proto};
use tempfile::TempDir;
use tonic::transport::Channel;
use tonic::{Code, Streaming};

const CLASSES: usize = 6;
const PER_CLASS: usize = 50;

/// A folder of 300 photos, of which some are to change.
struct Photos(TempDir);

// === impl Photos ===

impl Photos {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        PhotoSet { classes: CLASSES, per_class: PER_CLASS, ..PhotoSet::default() }.write(folder.path()).unwrap();
        Self(folder)
    }

    /// Every photo, sorted.
    fn files(&self) -> Vec<std::path::PathBuf> {
        let entries = |path: &Path| fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
        let mut files: Vec<_> = entries(self.0.path()).iter().flat_map(|class| entries(class)).collect();
        files.sort();
        files
    }

    /// Adds a photo behind each that is there, removes every tenth, and replaces every tenth.
    fn change(&self, round: usize) {
        for (place, file) in self.files().into_iter().enumerate() {
            let bytes = fs::read(&file).unwrap();
            fs::write(file.with_extension(format!("{round}.jpg")), &bytes).unwrap();
            match place % 10 {
                3 => fs::remove_file(&file).unwrap(),
                7 => {
                    // Another file under the same name, as a program that writes whole files leaves it.
                    let fresh = file.with_extension("fresh");
                    fs::write(&fresh, [&bytes[..], b"more"].concat()).unwrap();
                    fs::rename(&fresh, &file).unwrap();
                }
                _ => {}
            }
        }
    }
}

async fn channel(address: &str) -> Channel {
    tonic::transport::Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap()
}

async fn describe(channel: &Channel, digest: &[u8]) -> Result<proto::DatasetDescription, tonic::Status> {
    let request = proto::DescribeRequest { dataset: "photos".into(), digest: digest.to_vec().into() };
    DatasetsClient::new(channel.clone()).describe(request).await.map(tonic::Response::into_inner)
}

async fn fetch(channel: &Channel, of: &proto::DatasetDescription) -> Streaming<proto::FetchBatch> {
    let request = proto::FetchRequest {
        dataset: "photos".into(),
        dataset_digest: of.digest.clone(),
        samples: Some(proto::fetch_request::Samples::Range(proto::SampleRange { first: 0, count: of.samples })),
        ways: Some(proto::fetch_request::Ways::Way(proto::Way::Encoded.into())),
        batch_bytes: 4096,
        ..proto::FetchRequest::default()
    };
    SamplesClient::new(channel.clone()).fetch(request).await.unwrap().into_inner()
}

/// Reads a stream to its end: what came of each sample.
async fn read_on(
    mut stream: Streaming<proto::FetchBatch>,
    samples: &mut BTreeMap<u64, Option<proto::SampleFailureKind>>,
) {
    while let Some(batch) = stream.message().await.unwrap() {
        for sample in batch.samples {
            let came = samples.insert(sample.index, sample.failure.map(|failure| failure.kind()));
            assert_eq!(came, None, "sample {} came twice", sample.index);
        }
    }
}

async fn keys(channel: &Channel, of: &proto::DatasetDescription) -> Vec<String> {
    let request = proto::ListRequest {
        dataset: "photos".into(),
        dataset_digest: of.digest.clone(),
        samples: Some(proto::list_request::Samples::Range(proto::SampleRange { first: 0, count: of.samples })),
        ..proto::ListRequest::default()
    };
    let mut stream = DatasetsClient::new(channel.clone()).list(request).await.unwrap().into_inner();
    let mut keys = Vec::new();
    while let Some(batch) = stream.message().await.unwrap() {
        keys.extend(batch.keys);
    }
    keys
}

async fn compare(channel: &Channel, from: &[u8], to: &[u8]) -> Result<Differences, tonic::Status> {
    let (from, to) = (from.to_vec().into(), to.to_vec().into());
    let request = proto::DifferencesRequest { dataset: "photos".into(), from, to };
    let mut stream = DatasetsClient::new(channel.clone()).differences(request).await?.into_inner();
    let mut all = Differences::default();
    while let Some(batch) = stream.message().await? {
        differences::extend(&mut all, batch).unwrap();
    }
    Ok(all)
}

fn reload(server: &Server) -> Run {
    run("storage-server", ["reload", "--address", &server.address(), "--json"]).unwrap()
}

/// What came of the dataset `photos`.
fn reloaded(run: Run) -> serde_json::Value {
    run.success().unwrap().json().unwrap()["datasets"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_epoch_that_is_underway_keeps_its_generation_and_the_next_has_what_is_new() {
    let photos = Photos::new();
    let server = ServerOptions::new(photos.0.path()).arg("--no-cache").arg("--stream-window").arg("4").start().unwrap();
    let channel = channel(&server.address()).await;
    let first = describe(&channel, &[]).await.unwrap();
    assert_eq!((first.samples, first.generation), ((CLASSES * PER_CLASS) as u64, 1));
    let listed = keys(&channel, &first).await;
    let mut samples = BTreeMap::new();
    let mut epoch = fetch(&channel, &first).await;
    let begun = epoch.message().await.unwrap().unwrap();
    samples.extend(begun.samples.into_iter().map(|sample| (sample.index, None)));

    photos.change(1);
    let changed = reloaded(reload(&server));
    assert_eq!((&changed["outcome"], &changed["generation"]), (&"changed".into(), &2.into()), "{changed}");
    assert_eq!([&changed["added"], &changed["removed"], &changed["replaced"]], [300, 30, 30], "{changed}");
    photos.change(2);
    assert_eq!(reloaded(reload(&server))["generation"], 3);
    assert_eq!(reloaded(reload(&server))["outcome"], "unchanged");

    // Each sample of the epoch's generation once, or a failure with its kind.
    read_on(epoch, &mut samples).await;
    assert_eq!(samples.keys().copied().collect::<Vec<_>>(), (0..first.samples).collect::<Vec<_>>());
    let kinds: Vec<_> = samples.values().flatten().collect();
    let typed = [proto::SampleFailureKind::Changed, proto::SampleFailureKind::NotFound];
    assert!(kinds.iter().all(|kind| typed.contains(kind)), "{kinds:?}");
    assert!(!kinds.is_empty(), "the epoch was over before anything changed");

    // The next epoch is of what is there now, and all of it comes.
    let now = describe(&channel, &[]).await.unwrap();
    assert_eq!((now.generation, now.samples), (3, photos.files().len() as u64));
    let mut samples = BTreeMap::new();
    read_on(fetch(&channel, &now).await, &mut samples).await;
    assert!(samples.len() as u64 == now.samples && samples.values().all(Option::is_none));

    // A client that comes back with the first generation finds it, and where its photos are now.
    let held = describe(&channel, &first.digest).await.unwrap();
    assert_eq!((held.generation, held.digest), (1, first.digest.clone()));
    let differences = compare(&channel, &first.digest, &[]).await.unwrap();
    differences.check(first.samples, now.samples).unwrap();
    let (later, mapping) = (keys(&channel, &now).await, differences.mapping());
    for (index, key) in listed.iter().enumerate() {
        let place = mapping.get(index as u64).map(|index| &later[usize::try_from(index).unwrap()]);
        assert_eq!(place, later.contains(key).then_some(key));
    }
    let unknown = compare(&channel, &[7; 32], &[]).await.unwrap_err();
    assert_eq!(unknown.code(), Code::FailedPrecondition);
    assert_eq!(compare(&channel, &now.digest, &now.digest).await.unwrap(), Differences::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn losses_stay_with_their_photos() {
    let photos = Photos::new();
    let server = ServerOptions::new(photos.0.path()).arg("--no-cache").metrics().start().unwrap();
    let channel = channel(&server.address()).await;
    let first = describe(&channel, &[]).await.unwrap();
    let report = |digest: &[u8], indices: Vec<u64>| proto::ReportRequest {
        dataset: "photos".into(),
        dataset_digest: digest.to_vec().into(),
        losses: indices.iter().map(|index| *index as f32).collect(),
        indices,
        ..proto::ReportRequest::default()
    };
    let mut losses = LossesClient::new(channel.clone());
    losses.report(report(&first.digest, (0..300).collect())).await.unwrap();
    photos.change(1);
    reloaded(reload(&server));
    let known = || server.metric("headwater_loss_samples{dataset=\"photos\"}").unwrap();
    assert_eq!(known(), Some(270.0));
    // A job that began with the first generation goes on to report: of photos that are gone, nothing is kept.
    let kept = losses.report(report(&first.digest, (0..300).collect())).await.unwrap().into_inner().kept;
    assert_eq!((kept, known()), (270, Some(270.0)));
}

#[test]
fn a_listing_that_fails_leaves_what_is_served_and_says_so() {
    let photos = Photos::new();
    let data = TempDir::new().unwrap();
    let root = data.path().join("photos");
    fs::rename(photos.0.path(), &root).unwrap();
    let server = ServerOptions::new(&root).arg("--no-cache").metrics().start().unwrap();
    let away = data.path().join("away");
    fs::rename(&root, &away).unwrap();
    let failed = reload(&server);
    assert_eq!(failed.code, Some(1), "{}", failed.stderr);
    assert!(failed.stderr.contains("1 of 1 datasets could not be listed anew"), "{}", failed.stderr);
    let line = failed.json().unwrap()["datasets"][0].clone();
    assert_eq!((&line["outcome"], &line["generation"]), (&"failed".into(), &1.into()), "{line}");
    assert!(line["reason"].as_str().unwrap().contains("photos"), "{line}");
    let metric = |name: &str| server.metric(&format!("headwater_{name}")).unwrap();
    assert_eq!(metric("dataset_listing_failed{dataset=\"photos\"}"), Some(1.0));
    assert_eq!(metric("dataset_reloads_total{dataset=\"photos\",outcome=\"failed\"}"), Some(1.0));
    fs::rename(&away, &root).unwrap();
    assert_eq!(reloaded(reload(&server))["outcome"], "unchanged");
    assert_eq!(metric("dataset_listing_failed{dataset=\"photos\"}"), Some(0.0));
    assert_eq!(metric("dataset_generation{dataset=\"photos\"}"), Some(1.0));
}

#[test]
fn reloads_at_the_same_time_and_one_that_is_killed_do_no_harm() {
    let photos = Photos::new();
    let server = ServerOptions::new(photos.0.path()).arg("--no-cache").start().unwrap();
    photos.change(1);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let both: Vec<_> = (0..2).map(|_| scope.spawn(|| reloaded(reload(&server)))).collect();
        both.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(outcomes.iter().all(|outcome| outcome["generation"] == 2), "{outcomes:?}");
    photos.change(2);
    server.signal("HUP").unwrap();
    let server = server.restart().unwrap();
    let again = reloaded(reload(&server));
    assert_eq!((&again["outcome"], &again["samples"]), (&"unchanged".into(), &photos.files().len().into()), "{again}");
}

#[test]
fn sighup_and_refresh_list_anew() {
    let photos = Photos::new();
    let mut command = std::process::Command::new(program("storage-server"));
    command.args(["serve", "--dataset", "photos", "--listen", "127.0.0.1:0", "--no-cache", "--refresh", "1s"]);
    let mut server = Logged::start(command.arg("--data").arg(photos.0.path()));
    server.says("nothing has changed");
    photos.change(1);
    server.says("a new generation is served");
    server.signal("HUP");
    server.says("SIGHUP: listing the datasets anew");
    assert_eq!(server.end("TERM"), Some(0), "{}", server.log());
}

#[test]
fn a_reload_is_for_this_machine_and_names_a_server_that_is_not_there() {
    let nobody = run("storage-server", ["reload", "--address", "127.0.0.1:1"]).unwrap();
    assert_eq!(nobody.code, Some(1));
    assert!(nobody.stderr.contains("the server at 127.0.0.1:1"), "{}", nobody.stderr);
}
