//! Servers that stand in for each other: an epoch goes on with the same tensors, whoever is killed or stopped.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]
#![expect(clippy::disallowed_methods, reason = "blows come by the clock")]

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use headwater_testdata::PhotoSet;
use headwater_tests::{Run, Server, ServerOptions, run};
use serde_json::Value;
use tempfile::TempDir;

/// What is done to a server: whether it is killed and started again, or stopped and continued.
#[derive(Clone, Copy, Debug)]
struct Blow {
    server: usize,
    kills: bool,
}

fn photos(folder: &Path, per_class: usize) {
    PhotoSet { seed: 8, classes: 4, per_class, min_side: 300, max_side: 500 }.write(folder).unwrap();
}

fn try_epoch(servers: &str, further: &[&str]) -> Run {
    let fixed = ["epoch", "--servers", servers, "--dataset", "photos", "--recipe", "imagenet-train", "--json"];
    run("profiler", fixed.iter().chain(&["--mode", "jpeg-crop", "--digest"]).chain(further)).unwrap()
}

fn epoch(servers: &str, further: &[&str]) -> Value {
    try_epoch(servers, further).success().unwrap().json().unwrap()
}

fn addresses(servers: &[Server]) -> String {
    servers.iter().map(Server::address).collect::<Vec<_>>().join(",")
}

/// Two servers of each of three partitions.
fn fleet(folder: &Path) -> Vec<Server> {
    let start = |part: u32| {
        let part = format!("{}/3", part % 3 + 1);
        ServerOptions::new(folder).args(["--partition", &part, "--cpu-workers", "1"]).start().unwrap()
    };
    (0..6).map(start).collect()
}

/// Deals a blow every two seconds until it is told to end; then all servers run again. How many it dealt.
fn strike(servers: &mut [Option<Server>], blows: impl Iterator<Item = Blow>, end: &AtomicBool) -> usize {
    let mut dealt = 0;
    for Blow { server, kills } in blows {
        if end.load(Ordering::SeqCst) {
            break;
        }
        let mut struck = servers[server].take().unwrap();
        if kills {
            struck.kill().unwrap();
            std::thread::sleep(Duration::from_secs(1));
            servers[server] = Some(struck.restart().unwrap());
            std::thread::sleep(Duration::from_secs(1));
        } else {
            struck.signal("STOP").unwrap();
            std::thread::sleep(Duration::from_secs(2));
            struck.signal("CONT").unwrap();
            servers[server] = Some(struck);
        }
        dealt += 1;
    }
    dealt
}

/// An epoch amid blows, what it reported and how long it took, and how many blows there were.
fn amid(servers: Vec<Server>, blows: impl Iterator<Item = Blow> + Send, further: &[&str]) -> (Value, Duration, usize) {
    let (named, end) = (addresses(&servers), AtomicBool::new(false));
    let mut servers: Vec<_> = servers.into_iter().map(Some).collect();
    std::thread::scope(|scope| {
        let striking = scope.spawn(|| strike(&mut servers, blows, &end));
        let begin = Instant::now();
        let report = try_epoch(&named, further);
        let took = begin.elapsed();
        end.store(true, Ordering::SeqCst);
        let dealt = striking.join().unwrap();
        (report.success().unwrap().json().unwrap(), took, dealt)
    })
}

fn same(calm: &Value, struck: &Value) {
    assert_eq!((&struck["samples"], &struck["failed"]), (&calm["samples"], &Value::from(0)));
    assert_eq!(struck["tensors"], calm["tensors"]);
}

#[test]
fn an_epoch_goes_on_with_the_same_tensors_whoever_of_two_replicas_is_killed_or_stopped() {
    let scratch = TempDir::new().unwrap();
    photos(scratch.path(), 60);
    let servers = fleet(scratch.path());
    let further = ["--limit-bandwidth", "4Mbps"];
    let alone = epoch(&addresses(&servers[..3]), &further);
    assert_eq!((&alone["samples"], &alone["failed"]), (&Value::from(240), &Value::from(0)));
    let blows = [(4, false), (0, true), (5, false)].map(|(server, kills)| Blow { server, kills });
    let (struck, _, dealt) = amid(servers, blows.into_iter(), &further);
    same(&alone, &struck);
    assert!(dealt > 0);
}

#[test]
fn servers_that_differ_in_versions_of_photos_or_in_settings_do_not_stand_in_for_each_other() {
    let scratch = TempDir::new().unwrap();
    let copy = TempDir::new().unwrap();
    photos(scratch.path(), 5);
    photos(copy.path(), 5);
    let start =
        |folder: &Path, further: &[&str]| ServerOptions::new(folder).args(further.iter().copied()).start().unwrap();
    let servers = [start(scratch.path(), &[]), start(copy.path(), &[])];
    let refused = try_epoch(&addresses(&servers), &[]);
    assert!(refused.code == Some(1) && refused.stderr.contains("rsync -a"), "{}", refused.stderr);
    let servers = [start(scratch.path(), &[]), start(scratch.path(), &["--max-dimension", "4000"])];
    let refused = try_epoch(&addresses(&servers), &[]);
    assert!(refused.code == Some(1) && refused.stderr.contains("limits of photos"), "{}", refused.stderr);
}

#[test]
fn servers_are_found_in_a_file_and_behind_a_name() {
    let scratch = TempDir::new().unwrap();
    let list = TempDir::new().unwrap();
    photos(scratch.path(), 5);
    let servers = [1, 2]
        .map(|part| ServerOptions::new(scratch.path()).args(["--partition", &format!("{part}/2")]).start().unwrap());
    let named = epoch(&addresses(&servers), &[]);
    let file = list.path().join("servers");
    // The order of servers that are found says nothing.
    std::fs::write(&file, format!("{}\n# second\n{}\n", servers[1].address(), servers[0].address())).unwrap();
    let found = epoch(&format!("@{}", file.display()), &[]);
    assert_eq!((&found["tensors"], &found["samples"]), (&named["tensors"], &Value::from(20)));
    let alone = ServerOptions::new(scratch.path()).start().unwrap();
    let (_, port) = alone.address().split_once(':').map(|(host, port)| (host.to_owned(), port.to_owned())).unwrap();
    let by_name = try_epoch(&format!("dns:///localhost:{port}"), &[]);
    // Where the machine has ::1 too, nobody listens there.
    if by_name.code == Some(0) {
        assert_eq!(by_name.json().unwrap()["samples"], 20);
    } else {
        assert!(by_name.stderr.contains("[::1]"), "{}", by_name.stderr);
    }
    for (wrong, words) in [
        ("dns:///no-such-name.invalid:7440", "dns:///no-such-name.invalid"),
        ("@/no/such/file", "/no/such/file"),
        ("etcd://127.0.0.1:1/hw", "etcd://127.0.0.1:1/hw"),
    ] {
        let refused = try_epoch(wrong, &[]);
        assert!(refused.code == Some(1) && refused.stderr.contains(words), "{wrong}: {}", refused.stderr);
    }
}

/// Random blows, from a seed.
fn random(mut state: u64) -> impl Iterator<Item = Blow> + Send {
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Blow { server: (state >> 33) as usize % 6, kills: state >> 63 == 0 }
    })
}

#[test]
#[ignore = "minutes: scripts/torture replicas"]
fn a_long_epoch_takes_little_longer_though_a_server_is_killed_or_stopped_every_two_seconds() {
    let scratch = TempDir::new().unwrap();
    photos(scratch.path(), 500);
    for seed in 1..=3 {
        let servers = fleet(scratch.path());
        let further = ["--limit-bandwidth", "6Mbps", "--seed", &seed.to_string()];
        let begin = Instant::now();
        let calm = epoch(&addresses(&servers), &further);
        let undisturbed = begin.elapsed();
        let (struck, took, dealt) = amid(servers, random(seed), &further);
        same(&calm, &struck);
        let ratio = took.as_secs_f64() / undisturbed.as_secs_f64();
        println!("seed {seed}: {dealt} blows, {took:.1?} against {undisturbed:.1?}: {ratio:.2} times, at most 1.5");
        assert!(ratio <= 1.5, "{ratio}");
    }
}
