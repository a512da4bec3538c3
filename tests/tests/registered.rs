//! Servers that register in etcd are found there, and an etcd that is away ends nothing.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]
#![expect(clippy::disallowed_methods, reason = "etcd is stopped in the middle of an epoch")]

use std::path::Path;
use std::time::Duration;

use headwater_testdata::PhotoSet;
use headwater_tests::{Etcd, Run, ServerOptions, eventually, run};
use tempfile::TempDir;

fn epoch(servers: &str, further: &[&str]) -> Run {
    let fixed = ["epoch", "--servers", servers, "--dataset", "photos", "--recipe", "imagenet-train", "--json"];
    run("profiler", fixed.iter().chain(&["--mode", "jpeg-crop", "--digest"]).chain(further)).unwrap()
}

fn samples(run: &Run) -> Option<u64> {
    (run.code == Some(0)).then(|| run.json().unwrap()["samples"].as_u64()).flatten()
}

fn serve(folder: &Path, part: &str, etcd: &str) -> ServerOptions {
    ServerOptions::new(folder).args(["--partition", part, "--register", etcd])
}

#[test]
fn servers_are_found_where_they_register_and_an_etcd_that_is_away_fails_no_call() {
    let Some(etcd) = Etcd::start().unwrap() else { return };
    let scratch = TempDir::new().unwrap();
    PhotoSet { seed: 3, classes: 4, per_class: 15, min_side: 300, max_side: 400 }.write(scratch.path()).unwrap();
    let url = etcd.url("headwater/test");
    let none = epoch(&url, &[]);
    assert!(none.code == Some(1) && none.stderr.contains("names no server now"), "{}", none.stderr);

    let mut servers: Vec<_> = ["1/2", "2/2"].map(|part| serve(scratch.path(), part, &url).start().unwrap()).into();
    let calm = eventually("both servers are found", || {
        let run = epoch(&url, &[]);
        (samples(&run) == Some(60)).then_some(run)
    });
    let elsewhere = epoch(&etcd.url("headwater/other"), &[]);
    assert_eq!(elsewhere.code, Some(1), "another prefix has no servers");

    // Stopped in an epoch: who is known stays known, and registers again once etcd is back.
    let (fast, slow) = (["--seed", "1"], ["--seed", "1", "--limit-bandwidth", "600kbps"]);
    let undisturbed = epoch(&url, &fast).json().unwrap();
    let struck = std::thread::scope(|scope| {
        let running = scope.spawn(|| epoch(&url, &slow));
        std::thread::sleep(Duration::from_secs(2));
        etcd.signal("STOP").unwrap();
        running.join().unwrap()
    });
    let struck = struck.success().unwrap().json().unwrap();
    assert_eq!((&struck["tensors"], &struck["failed"]), (&undisturbed["tensors"], &undisturbed["failed"]));
    let unanswered = epoch(&url, &[]);
    assert!(unanswered.code == Some(1) && unanswered.stderr.contains("no answer"), "{}", unanswered.stderr);
    etcd.signal("CONT").unwrap();
    eventually("the servers are found again", || (samples(&epoch(&url, &[])) == Some(60)).then_some(()));

    // One that stops is taken out; one that comes is found.
    let mut gone = servers.remove(1);
    gone.signal("TERM").unwrap();
    gone.wait(Duration::from_secs(30)).unwrap();
    let missing = epoch(&url, &[]);
    assert!(missing.code == Some(1) && missing.stderr.contains("nobody has 2/2"), "{}", missing.stderr);
    let _back = serve(scratch.path(), "2/2", &url).start().unwrap();
    let again = eventually("the new server is found", || {
        let run = epoch(&url, &[]);
        (samples(&run) == Some(60)).then_some(run)
    });
    assert_eq!(again.json().unwrap()["tensors"], calm.json().unwrap()["tensors"]);
}

/// For how many seconds is asked for by the variable AWAY.
#[test]
#[ignore = "a quarter of an hour: scripts/torture etcd"]
fn an_etcd_that_is_away_for_ten_minutes_fails_no_call_of_epochs_that_run() {
    let away: u64 = std::env::var("AWAY").map_or(600, |text| text.parse().unwrap());
    let etcd = Etcd::start().unwrap().unwrap();
    let scratch = TempDir::new().unwrap();
    PhotoSet { seed: 4, classes: 4, per_class: 500, min_side: 300, max_side: 400 }.write(scratch.path()).unwrap();
    let url = etcd.url("headwater/test");
    let [_one, other] = ["1/2", "2/2"].map(|part| serve(scratch.path(), part, &url).start().unwrap());
    let calm = eventually("both servers are found", || {
        let run = epoch(&url, &["--seed", "1"]);
        (samples(&run) == Some(2000)).then(|| run.json().unwrap())
    });
    // Each has so many bytes left when etcd goes that it reads until etcd has been back for a while.
    let bits = calm["bytes_received"].as_u64().unwrap() * 8 / (away + 60);
    let limit = format!("{bits}bps");
    let lasting = ["--seed", "1", "--limit-bandwidth", &limit];
    let (epochs, _other) = std::thread::scope(|scope| {
        let running: Vec<_> = (0..4).map(|_| scope.spawn(|| epoch(&url, &lasting))).collect();
        std::thread::sleep(Duration::from_secs(10));
        etcd.signal("STOP").unwrap();
        // A server dies meanwhile, and comes again where it was: those who know it find it there.
        std::thread::sleep(Duration::from_secs(away / 2));
        let other = other.restart().unwrap();
        std::thread::sleep(Duration::from_secs(away - away / 2));
        etcd.signal("CONT").unwrap();
        (running.into_iter().map(|one| one.join().unwrap()).collect::<Vec<_>>(), other)
    });
    for run in epochs {
        let struck = run.success().unwrap().json().unwrap();
        assert_eq!((&struck["tensors"], &struck["failed"]), (&calm["tensors"], &calm["failed"]));
        let seconds = struck["seconds"].as_f64().unwrap();
        assert!(seconds > (away + 10) as f64, "an epoch of {seconds} s was over before etcd was back");
        println!(
            "an epoch of {seconds:.0} s, etcd away for {away} s of it: {} samples, none failed",
            struck["samples"]
        );
    }
    eventually("the servers are found again", || (samples(&epoch(&url, &["--seed", "1"])) == Some(2000)).then_some(()));
}
