//! Servers that share one store keep each sample once among them, and change no bit: whoever is asked, whoever is
//! killed, stopped, started again or added.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use headwater_onnx::{Dim, GraphBuilder, ValueFacts};
use headwater_testdata::PhotoSet;
use headwater_tests::{Array, Server, ServerOptions, eventually, fetch, run};
use headwater_wire::proto::samples_client::SamplesClient;
use headwater_wire::{Choice, Fetch, Samples};
use serde_json::Value;
use tempfile::TempDir;

const PHOTOS: u64 = 48;
const DETERMINISTIC: &str = "imagenet-eval";
const CUTS: [&str; 7] = ["encoded", "jpeg-crop", "decoded", "cropped", "flipped", "tensor", "normalized"];
/// How long a server may take to end.
const ENDS: Duration = Duration::from_secs(30);

type Bits = BTreeMap<u64, Array>;

/// Photos in one folder, and servers that share it. They find each other by a file, since their ports are not known
/// before they have started.
struct Town {
    photos: TempDir,
    folder: TempDir,
    kinds: &'static str,
    /// What servers that are added are told beside.
    further: Vec<String>,
    servers: Vec<Server>,
}

// === impl Town ===

impl Town {
    /// So many servers, which all know each other.
    fn new(servers: usize, kinds: &'static str) -> Self {
        let set = PhotoSet { classes: 2, per_class: 24, max_side: 128, ..PhotoSet::default() };
        let mut town = Self::of(&set, kinds, &[]);
        town.grow(servers);
        town
    }

    /// These photos, and no server yet.
    fn of(set: &PhotoSet, kinds: &'static str, further: &[&str]) -> Self {
        let (photos, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        set.write(photos.path()).unwrap();
        let further = further.iter().map(|&argument| argument.to_owned()).collect();
        let town = Self { photos, folder, kinds, further, servers: Vec::new() };
        town.tell();
        town
    }

    /// Adds servers until there are so many, and waits until all know each other.
    fn grow(&mut self, servers: usize) {
        while self.servers.len() < servers {
            let name = format!("node{}", self.servers.len());
            let server = self.options(&name).start().unwrap();
            self.servers.push(server);
            self.tell();
        }
        self.meet(servers - 1);
    }

    /// A server alone, which shares with nobody and keeps nothing.
    fn lone(&self) -> Server {
        ServerOptions::new(self.photos.path()).arg("--no-cache").start().unwrap()
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("peers")
    }

    fn options(&self, name: &str) -> ServerOptions {
        ServerOptions::new(self.photos.path())
            .arg("--cache-dir")
            .arg(self.folder.path().join(name))
            .args(["--cache-kinds", self.kinds, "--peer-name", name, "--peers-file"])
            .arg(self.file())
            .args(self.further.iter().map(String::as_str))
            .variable("HEADWATER_LOG", "info")
            .log(&self.folder.path().join(format!("{name}.log")))
            .metrics()
    }

    /// Tells all servers of each other.
    fn tell(&self) {
        let lines: String = self.servers.iter().map(|server| server.address() + "\n").collect();
        let written = self.folder.path().join("peers.new");
        fs::write(&written, format!("# the servers of a test\n{lines}")).unwrap();
        fs::rename(written, self.file()).unwrap();
    }

    /// Waits until each server that runs knows so many others.
    fn meet(&mut self, others: usize) {
        for server in &mut self.servers {
            if server.is_running().unwrap() {
                let server = &*server;
                eventually("peers", || (metric(server, "headwater_peers_live") == others as f64).then_some(()));
            }
        }
    }

    /// What is so in all servers that run, together.
    fn all(&mut self, what: impl Fn(&Server) -> u64) -> u64 {
        let running = self.servers.iter_mut().filter_map(|server| server.is_running().unwrap().then_some(&*server));
        running.map(what).sum()
    }
}

fn metric(server: &Server, name: &str) -> f64 {
    server.metric(name).unwrap().unwrap_or_default()
}

fn origin(server: &Server) -> u64 {
    metric(server, "headwater_cache_entries_total{outcome=\"origin\",kind=\"encoded\"}") as u64
}

fn forwarded(server: &Server, outcome: &str) -> u64 {
    metric(server, &format!("headwater_cache_forwarded_total{{outcome=\"{outcome}\"}}")) as u64
}

fn answered(server: &Server) -> u64 {
    metric(server, "headwater_cache_answered_total") as u64
}

/// Stored photos that a server keeps.
fn kept(server: &Server) -> u64 {
    let of = |tier: &str| metric(server, &format!("headwater_cache_held_entries{{tier=\"{tier}\",kind=\"encoded\"}}"));
    (of("memory") + of("ssd")) as u64
}

fn bits(server: &Server, recipe: &str, cut: &str, epoch: u64) -> Bits {
    let (out, epoch) = (TempDir::new().unwrap(), epoch.to_string());
    let further = ["--recipe", recipe, "--cut", cut, "--seed", "5", "--epoch", &epoch];
    let fetched = fetch(&[server.address()], out.path(), &further).unwrap();
    assert_eq!(fetched.arrays.len() as u64, PHOTOS, "{recipe} at {cut}");
    fetched.arrays
}

fn said(server: &Server) -> Value {
    let report = run("profiler", ["cache", "--servers", &server.address(), "--json"]).unwrap();
    report.success().unwrap().json().unwrap()["caches"][0].take()
}

#[test]
fn every_cut_has_the_same_bits_through_any_of_three_servers_as_through_one_alone() {
    let town = Town::new(3, "encoded,indexed,resized");
    let lone = town.lone();
    for recipe in ["imagenet-train", DETERMINISTIC] {
        for cut in CUTS {
            for epoch in 0..2 {
                let expected = bits(&lone, recipe, cut, epoch);
                for server in &town.servers {
                    assert!(bits(server, recipe, cut, epoch) == expected, "{recipe} at {cut}, epoch {epoch}");
                }
            }
        }
    }
    for server in &town.servers {
        assert!(forwarded(server, "given") > 0 && answered(server) > 0, "{}", said(server));
        for fault in ["failed", "busy", "slow", "unreachable", "refused", "broken", "resting"] {
            assert_eq!(forwarded(server, fault), 0, "{fault}: {}", said(server));
        }
    }
}

#[test]
fn three_servers_asked_at_once_for_two_epochs_read_and_keep_each_sample_once() {
    let mut town = Town::new(3, "encoded");
    for epoch in 0..2 {
        let all: Vec<_> = thread::scope(|scope| {
            let ask = |server| scope.spawn(move || bits(server, "imagenet-train", "normalized", epoch));
            let asked: Vec<_> = town.servers.iter().map(ask).collect();
            asked.into_iter().map(|asked| asked.join().unwrap()).collect()
        });
        assert!(all.iter().all(|bits| *bits == all[0]));
        assert_eq!((town.all(origin), town.all(kept)), (PHOTOS, PHOTOS), "epoch {epoch}");
    }
    // Each of three servers was asked for every sample twice, and each sample is at home in one of the three.
    assert_eq!((town.all(|server| forwarded(server, "given")), town.all(answered)), (4 * PHOTOS, 4 * PHOTOS));
    for server in &town.servers {
        assert!((4..PHOTOS / 2 + 4).contains(&kept(server)), "a share is about a third: {}", kept(server));
        let share = &said(server)["share"];
        assert_eq!(share["peers"].as_array().unwrap().len(), 2, "{share}");
        assert_eq!(share["forwarded"]["given"], 2 * (PHOTOS - kept(server)), "{share}");
        assert_eq!(share["answered"], 4 * kept(server), "{share}");
    }
    // A call that was handed on is answered by whoever gets it, of samples of every home.
    let (first, given) = (&town.servers[0], forwarded(&town.servers[0], "given"));
    assert_eq!(fetch_handed_on(first), PHOTOS);
    assert_eq!((forwarded(first, "given"), town.all(answered)), (given, 5 * PHOTOS));
}

/// Samples that a server gives to a call that says it was handed on.
fn fetch_handed_on(server: &Server) -> u64 {
    let fetch = Fetch {
        cut: None,
        dataset: "photos".into(),
        dataset_digest: None,
        samples: Samples::Range { first: 0, count: PHOTOS as usize },
        recipe: None,
        ways: Choice::All(headwater_types::Way::ENCODED),
        floats_as_pixels: false,
        seed: headwater_types::Seed(0),
        epochs: Choice::All(headwater_types::Epoch(0)),
        model: None,
        batch_bytes: headwater_types::caps::BATCH_BYTES,
        measure_cpu: false,
        max_payload: headwater_types::caps::MAX_OBJECT,
        allow_non_finite: false,
        priority: headwater_types::Priority::Normal,
        fields: Vec::new(),
        job: None,
        forwarded: true,
    };
    let address = format!("http://{}", server.address());
    tokio::runtime::Runtime::new().unwrap().block_on(async move {
        let mut client = SamplesClient::connect(address).await.unwrap();
        let mut batches = client.fetch(headwater_wire::proto::FetchRequest::from(fetch)).await.unwrap().into_inner();
        let mut samples = 0;
        while let Some(batch) = batches.message().await.unwrap() {
            samples += batch.samples.iter().filter(|sample| sample.failure.is_none()).count() as u64;
        }
        samples
    })
}

#[test]
fn a_server_that_is_killed_hands_on_its_share_alone_and_finds_it_again_when_it_comes_back() {
    let mut town = Town::new(3, "encoded");
    let expected = bits(&town.servers[0], "imagenet-train", "normalized", 0);
    let share = kept(&town.servers[2]);
    assert!(share > 0 && town.all(origin) == PHOTOS);

    // Nobody knows yet: what it would have given is prepared where it is asked for, and not kept.
    town.servers[2].kill().unwrap();
    assert!(bits(&town.servers[0], "imagenet-train", "normalized", 0) == expected);
    let alone = ["unreachable", "resting"].map(|outcome| forwarded(&town.servers[0], outcome));
    assert_eq!(town.all(kept) + share, PHOTOS);
    assert!(alone[0] > 0 && alone[0] + alone[1] == share, "{alone:?} of {share}");
    let known = town.all(origin) + share;
    assert_eq!(known, PHOTOS + share, "more than its share was read anew");

    // Once all know, its share is read and kept by the others, once, and nothing else is read.
    town.meet(1);
    let before = town.all(origin);
    for server in &town.servers[..2] {
        for epoch in 0..2 {
            let expected = if epoch == 0 { Some(&expected) } else { None };
            let got = bits(server, "imagenet-train", "normalized", epoch);
            assert!(expected.is_none_or(|expected| got == *expected));
        }
    }
    assert_eq!((town.all(origin) - before, town.all(kept)), (share, PHOTOS));

    // It comes back with what it has on disk, at the same port and under the same name.
    let back = town.servers.pop().unwrap().restart().unwrap();
    town.servers.push(back);
    town.meet(2);
    let before = town.all(origin);
    for server in &town.servers {
        assert!(bits(server, "imagenet-train", "normalized", 0) == expected);
    }
    assert_eq!(town.all(origin), before, "the store was read, though every home has its share");
}

#[test]
fn a_server_that_joins_reads_its_share_and_no_other_sample_moves() {
    let mut town = Town::new(3, "encoded");
    let expected = bits(&town.servers[1], DETERMINISTIC, "cropped", 0);
    let before: Vec<_> = town.servers.iter().map(origin).collect();
    assert_eq!(before.iter().sum::<u64>(), PHOTOS);
    town.grow(4);
    for server in &town.servers {
        assert!(bits(server, DETERMINISTIC, "cropped", 0) == expected);
    }
    let newcomer = &town.servers[3];
    assert!((1..PHOTOS / 2).contains(&kept(newcomer)), "a share is about a quarter: {}", kept(newcomer));
    assert_eq!(origin(newcomer), kept(newcomer));
    let after: Vec<_> = town.servers[..3].iter().map(origin).collect();
    assert_eq!(after, before, "a server that stayed has read something anew");
}

#[test]
fn what_is_kept_of_samples_that_moved_to_a_server_that_joined_is_told_to_make_way() {
    let mut town = Town::new(1, "encoded");
    let expected = bits(&town.servers[0], DETERMINISTIC, "cropped", 0);
    town.grow(2);
    for server in &town.servers {
        assert!(bits(server, DETERMINISTIC, "cropped", 0) == expected);
    }
    let moved = kept(&town.servers[1]);
    assert_eq!((kept(&town.servers[0]), origin(&town.servers[1])), (PHOTOS, moved), "the first reads no more");
    let log = town.folder.path().join("node0.log");
    let line = format!("\"moved\":{moved},");
    eventually("what has moved", || fs::read_to_string(&log).unwrap().contains(&line).then_some(()));
}

/// The mean of each colour, of photos of 8 x 8 pixels.
fn model() -> Vec<u8> {
    let mut graph = GraphBuilder::new("means");
    graph.input(&ValueFacts::float32("input", &[Dim::symbol("N"), Dim::Fixed(3), Dim::Fixed(8), Dim::Fixed(8)]));
    graph.global_average_pool("pool", "input").flatten("features", "pool");
    graph.output(&ValueFacts::float32("features", &[Dim::symbol("N"), Dim::Fixed(3)]));
    graph.finish()
}

#[test]
fn features_are_asked_of_homes_that_have_the_same_model_with_the_same_recipe() {
    let recipe = |name: &str, op: &str| {
        format!("name='{name}'\n[[stage]]\nop='decode'\n[[stage]]\n{op}\nsize=[8, 8]\n[[stage]]\nop='to-tensor'\n")
    };
    let files = TempDir::new().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let file = files.path().join(name);
        fs::write(&file, bytes).unwrap();
        file.display().to_string()
    };
    let (net, one) = (write("m.onnx", &model()), write("one.toml", recipe("one", "op='resize'").as_bytes()));
    let other = write("other.toml", recipe("other", "op='resize'\ninterpolation='bicubic'").as_bytes());
    let set = PhotoSet { classes: 2, per_class: 24, max_side: 128, ..PhotoSet::default() };
    let mut town = Town::of(&set, "features", &["--model", &format!("means={net},recipe={one}")]);
    town.grow(2);
    town.further = vec!["--model".to_owned(), format!("means={net},recipe={other}")];
    town.grow(3);
    let lone = ServerOptions::new(town.photos.path()).arg("--no-cache").model("means", net.as_ref(), &one);
    let lone = lone.start().unwrap();
    let features = |server: &Server| {
        let out = TempDir::new().unwrap();
        fetch(&[server.address()], out.path(), &["--cut", "features", "--model", "means"]).unwrap().arrays
    };
    let expected = features(&lone);
    for server in &town.servers[..2] {
        assert!(features(server) == expected);
    }
    let asked = town.servers.iter().map(answered).collect::<Vec<_>>();
    assert!(asked[0] > 0 && asked[1] > 0 && asked[2] == 0, "{asked:?}: the third has another recipe");
    let of = |server| metric(server, "headwater_cache_held_entries{tier=\"ssd\",kind=\"features\"}") as u64;
    assert_eq!(town.servers[..2].iter().map(of).sum::<u64>(), PHOTOS, "each is kept once");
    // The third gives what it makes by its own recipe, and asks nobody.
    assert!(features(&town.servers[2]) != expected);
    assert_eq!(asked[..2], town.servers[..2].iter().map(answered).collect::<Vec<_>>());
}

#[test]
fn a_home_that_hangs_costs_some_seconds_and_no_bit() {
    let mut town = Town::new(2, "encoded");
    let expected = bits(&town.servers[0], "imagenet-train", "normalized", 0);
    town.servers[1].signal("STOP").unwrap();
    assert!(bits(&town.servers[0], "imagenet-train", "normalized", 0) == expected);
    let first = &town.servers[0];
    assert!(forwarded(first, "slow") + forwarded(first, "unreachable") > 0, "{}", said(first));
    eventually("peers", || (metric(first, "headwater_peers_live") == 0.0).then_some(()));
    town.servers[1].signal("CONT").unwrap();
    town.meet(1);
    assert!(bits(&town.servers[1], "imagenet-train", "normalized", 0) == expected);
}

#[test]
fn a_server_of_other_photos_is_no_home_and_one_that_ends_says_so_at_once() {
    let mut town = Town::new(2, "encoded");
    let others = TempDir::new().unwrap();
    PhotoSet { classes: 2, per_class: 24, max_side: 128, seed: 77, ..PhotoSet::default() }
        .write(others.path())
        .unwrap();
    let stranger = ServerOptions::new(others.path())
        .args(["--peer-name", "stranger", "--peers-file"])
        .arg(town.file())
        .metrics()
        .start()
        .unwrap();
    town.servers.push(stranger);
    town.tell();
    town.meet(2);
    for server in &town.servers[..2] {
        eventually("peers", || (metric(server, "headwater_peers_apart") == 1.0).then_some(()));
        bits(server, "imagenet-train", "normalized", 0);
    }
    assert_eq!((answered(&town.servers[2]), town.all(kept)), (0, PHOTOS));

    // One that is asked to end is no home from then on, though it still answers.
    town.servers[2].signal("TERM").unwrap();
    town.servers[2].wait(ENDS).unwrap();
    town.meet(1);
}

#[test]
fn settings_of_peers_that_cannot_work_are_refused_with_the_fix() {
    let photos = TempDir::new().unwrap();
    let check = |further: &[&str]| {
        let photos = photos.path().display().to_string();
        let base = ["serve", "--check-config", "--dataset", "d", "--data", &photos];
        run("storage-server", base.iter().chain(further)).unwrap()
    };
    for (further, words) in [
        (&["--peers", "node1", "--listen", "0.0.0.0"][..], "give --peer-name"),
        (&["--peers", "node1", "--no-cache"], "--no-cache keeps nothing"),
        (&["--peer-name", "a"], "without --peers"),
        (&["--peers", "node1:0"], "port 0"),
        (&["--peers", "https://node1"], "TLS"),
        (&["--peers", "node1", "--peer-name", "a b"], "not a server name"),
    ] {
        let refused = check(further);
        assert!(refused.code == Some(2) && refused.stderr.contains(words), "{further:?}: {}", refused.stderr);
    }
    check(&["--peers", "node1,node2:7441", "--listen", "0.0.0.0", "--insecure", "--peer-name", "node1"])
        .success()
        .unwrap();
    let base = ["serve", "--dataset", "d", "--listen", "127.0.0.1:0", "--peers-file", "/no/such/file", "--data"];
    let photos = photos.path().display().to_string();
    let refused = run("storage-server", base.into_iter().chain([photos.as_str()])).unwrap();
    assert!(refused.code != Some(0) && refused.stderr.contains("--peers-file"), "{}", refused.stderr);
}
