//! A plan changes how samples travel and nothing else; one that is planned anew follows what the network does.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use std::path::Path;

use headwater_testdata::PhotoSet;
use headwater_tests::{Data, Run, Server, ServerOptions, run};
use serde_json::Value;
use tempfile::TempDir;

fn epoch(servers: &[&Server], further: &[&str]) -> Value {
    try_epoch(servers, further).success().unwrap().json().unwrap()
}

fn try_epoch(servers: &[&Server], further: &[&str]) -> Run {
    let addresses: Vec<_> = servers.iter().map(|server| server.address()).collect();
    let servers = addresses.join(",");
    let fixed =
        ["epoch", "--servers", &servers, "--dataset", "photos", "--recipe", "imagenet-train", "--json", "--digest"];
    run("profiler", fixed.iter().chain(further)).unwrap()
}

fn photos(folder: &Path, seed: u64) {
    PhotoSet { seed, classes: 4, per_class: 40, min_side: 300, max_side: 500 }.write(folder).unwrap();
}

#[test]
fn every_mode_gives_the_same_tensors_and_says_what_it_took() {
    let scratch = TempDir::new().unwrap();
    photos(&scratch.path().join("a"), 1);
    photos(&scratch.path().join("b"), 2);
    let start =
        |part: &str| ServerOptions::new(&scratch.path().join(part)).arg("--cpu-workers").arg("1").start().unwrap();
    let (a, b) = (start("a"), start("b"));
    let mut digests = Vec::new();
    for mode in ["no-off", "resize-off", "all-off", "jpeg-crop", "flipped+lossless", "optimal", "sophon", "auto"] {
        // So short an epoch is not worth a profile: auto is told to make one.
        let measured = ["--mode", mode, "--limit-bandwidth", "400Mbps", "--seed", "5", "--profile-seconds", "20"];
        let report = epoch(&[&a, &b], &measured);
        assert_eq!(report["samples"], 320, "{mode}");
        assert_eq!(report["failed"], 0, "{mode}");
        assert!(report["client_cpu_seconds"].as_f64().unwrap() >= report["finish_cpu_seconds"].as_f64().unwrap());
        let there = report["storage_cpu_seconds"].as_f64().unwrap();
        assert_eq!(there == 0.0, mode == "no-off", "{mode}: {there}");
        let planned = ["optimal", "sophon", "auto"].contains(&mode);
        assert_eq!(report["compared"]["epoch"]["predicted"].is_f64(), planned, "{mode}");
        digests.push((mode, report["tensors"].as_str().unwrap().to_owned()));
    }
    let (_, first) = &digests[0];
    assert!(digests.iter().all(|(_, digest)| digest == first), "{digests:?}");
}

#[test]
fn a_plan_out_of_a_file_is_followed_and_held_against_what_it_predicts() {
    let scratch = TempDir::new().unwrap();
    photos(&scratch.path().join("photos"), 4);
    let server = ServerOptions::new(&scratch.path().join("photos")).start().unwrap();
    let path = |name: &str| scratch.path().join(name).display().to_string();
    let (profile, plan, ran) = (path("profile"), path("plan"), path("epoch.json"));
    let profiler = |words: &[&str]| run("profiler", words).unwrap().success().unwrap();
    let address = server.address();
    let served = ["--servers", &address, "--dataset", "photos", "--recipe", "imagenet-train"];
    profiler(&[&["dataset"][..], &served, &["--samples", "40", "--out", &profile]].concat());
    // So few cores that only some photos are made smaller.
    profiler(&["plan", "--profile", &profile, "--bandwidth", "20Mbps", "--storage-cores", "0.02", "--out", &plan]);

    let plain = epoch(&[&server], &["--mode", "no-off"]);
    for mode in [&["--mode", "plan", &plan][..], &["--mode", &format!("plan:{plan}")]] {
        let report = epoch(&[&server], mode);
        assert_eq!(report["tensors"], plain["tensors"]);
        assert_eq!(report["mode"], format!("plan:{plan}"));
        assert!(report["ways"].as_array().unwrap().len() > 1, "{report}");
        std::fs::write(&ran, report.to_string()).unwrap();
        let compared = profiler(&["compare", &ran, "--plan", &plan, "--json"]).json().unwrap();
        // Payloads are predicted; what is received has their envelopes too.
        let bytes = &compared[0]["compared"]["bytes"];
        assert!(bytes["error"].as_f64().unwrap().abs() < 0.1, "{bytes}");
    }
    let named = format!("plan:{plan}");
    for (mode, words) in [
        (&["--mode", "plan"][..], "--mode plan FILE"),
        (&["--mode", &named, &plan], "give one"),
        (&["--mode", "optimal", &plan], "--mode plan FILE"),
    ] {
        let refused = try_epoch(&[&server], mode);
        assert!(refused.code != Some(0) && refused.stderr.contains(words), "{mode:?}: {}", refused.stderr);
    }
}

#[test]
fn a_server_without_cpu_workers_serves_photos_as_they_are_and_says_what_to_do_for_more() {
    let data = Data::photos().unwrap();
    let server = ServerOptions::new(&data.photos).arg("--cpu-workers").arg("0").start().unwrap();
    let report = epoch(&[&server], &["--mode", "optimal"]);
    assert_eq!(report["failed"], 0);
    assert_eq!(report["servers"][0]["cpu_workers"], 0);
    assert_eq!(report["ways"].as_array().unwrap().len(), 1);
    assert_eq!(report["ways"][0]["way"], "encoded");
    for mode in ["jpeg-crop", "resize-off"] {
        let refused = try_epoch(&[&server], &["--mode", mode]);
        assert_eq!(refused.code, Some(1), "{}", refused.stderr);
        assert!(refused.stderr.contains("--cpu-workers") && refused.stderr.contains("encoded"), "{}", refused.stderr);
    }
}

#[test]
fn an_epoch_that_is_too_short_for_a_profile_goes_the_plain_way_and_says_so() {
    let scratch = TempDir::new().unwrap();
    photos(&scratch.path().join("photos"), 6);
    let server = ServerOptions::new(&scratch.path().join("photos")).start().unwrap();
    let plain = epoch(&[&server], &["--mode", "no-off"]);
    for (given, looked) in [(&[][..], true), (&["--profile-seconds", "0"], false)] {
        let report = epoch(&[&server], &[&["--mode", "auto"], given].concat());
        let auto = &report["auto"];
        assert_eq!((&auto["planned"], &auto["measured"]), (&Value::from(false), &Value::from(0)), "{auto}");
        assert_eq!(auto["job_seconds"].is_f64(), looked, "{auto}");
        assert!(!looked || auto["least_seconds"].as_f64() > auto["budget_seconds"].as_f64(), "{auto}");
        assert_eq!((report["ways"].as_array().unwrap().len(), &report["ways"][0]["way"]), (1, &Value::from("encoded")));
        assert_eq!((&report["tensors"], &report["replans"]), (&plain["tensors"], &Value::Array(vec![])));
    }
    let address = server.address();
    let words = ["epoch", "--servers", &address, "--dataset", "photos", "--recipe", "imagenet-train", "--mode", "auto"];
    let planned = run("profiler", words).unwrap().success().unwrap();
    assert!(planned.stdout.contains("not planned: measuring takes at least"), "{}", planned.stdout);
    assert!(planned.stderr.contains("too short for a profile"), "{}", planned.stderr);
}

#[test]
fn servers_that_are_unlike_and_slower_than_their_cores_promise_are_no_slow_network() {
    let scratch = TempDir::new().unwrap();
    // Some seconds of work for the cores of this machine.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    for (part, seed) in [("bare", 7), ("able", 8)] {
        let set = PhotoSet { seed, classes: 4, per_class: 30 * cores, min_side: 900, max_side: 1200 };
        set.write(&scratch.path().join(part)).unwrap();
    }
    let start = |part: &str, workers: usize| {
        ServerOptions::new(&scratch.path().join(part)).arg("--cpu-workers").arg(workers.to_string()).start().unwrap()
    };
    // More threads than cores: neither side's cores look busy, though nothing else is waited for.
    let many = (8 * cores).to_string();
    let (bare, able) = (start("bare", 0), start("able", 8 * cores));
    let report = epoch(
        &[&bare, &able],
        &["--mode", "auto", "--profile-seconds", "5", "--trainer-cores", &many, "--allow-cuts", "encoded,flipped"],
    );
    assert_eq!((&report["auto"]["planned"], &report["failed"]), (&Value::from(true), &Value::from(0)));
    let replans = report["replans"].as_array().unwrap();
    assert!(replans.iter().all(|replan| replan["seen_bandwidth"].is_null()), "{replans:?}");
}

#[test]
fn half_the_bandwidth_in_the_middle_of_an_epoch_moves_the_plan_within_five_seconds_and_no_bit_of_a_tensor() {
    let scratch = TempDir::new().unwrap();
    let folder = scratch.path().join("photos");
    PhotoSet { seed: 3, classes: 4, per_class: 250, min_side: 300, max_side: 500 }.write(&folder).unwrap();
    let server = ServerOptions::new(&folder).start().unwrap();
    let bytes = epoch(&[&server], &["--mode", "no-off"]);
    let size = bytes["bytes_received"].as_f64().unwrap();
    // About 12 s at the whole bandwidth, were everything sent as it is; and cores for a part of what would make photos
    // smaller.
    let bandwidth = format!("{}bps", (size * 8.0 / 12.0).round());
    let planned =
        ["--allow-cuts", "encoded,flipped+lossless", "--storage-cores", "0.04", "--limit-bandwidth", &bandwidth];
    let halved = [&planned[..], &["--mode", "auto", "--profile-seconds", "20", "--halve-after", "3"]].concat();
    let report = epoch(&[&server], &halved);
    assert_eq!(report["tensors"], bytes["tensors"]);
    let replans = report["replans"].as_array().unwrap();
    let first = replans.iter().find(|replan| replan["moved"].as_u64() > Some(0));
    let first = first.unwrap_or_else(|| unreachable!("no plan moved: {report}"));
    let at = first["at_seconds"].as_f64().unwrap();
    assert!((3.0..8.0).contains(&at), "{replans:?}");
    assert!(report["calls_replanned"].as_u64() > Some(0));
}
