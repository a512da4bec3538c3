//! Servers behind a name whose addresses change: those that it has now are asked, in an epoch that runs.

#![expect(clippy::disallowed_methods, reason = "addresses change in the middle of an epoch")]

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use headwater_testdata::PhotoSet;
use headwater_tests::{Run, ServerOptions, run};
use tempfile::{NamedTempFile, TempDir};

/// The file that the resolver of the test's own mount namespace reads in place of `/etc/hosts`.
const HOSTS: &str = "HEADWATER_TEST_HOSTS";
/// Puts the file there, for the test binary alone.
const ALONE: &str = "mount --bind \"$HEADWATER_TEST_HOSTS\" /etc/hosts && exec \"$@\"";

#[test]
fn addresses_of_a_name_are_followed_while_an_epoch_runs() {
    let may = Command::new("unshare").args(["--mount", "true"]).status();
    if !may.is_ok_and(|status| status.success()) {
        eprintln!("left out: it takes a mount namespace, which only root may have");
        return;
    }
    let hosts = NamedTempFile::new().unwrap();
    let inner = std::env::current_exe().unwrap();
    let status = Command::new("unshare")
        .args(["--mount", "sh", "-c", ALONE, "sh"])
        .arg(inner)
        .args(["--ignored", "--exact", "in_a_namespace_of_its_own", "--nocapture"])
        .env(HOSTS, hosts.path())
        .status();
    assert!(status.unwrap().success());
}

#[test]
#[ignore = "it needs another /etc/hosts: the test above runs it with one"]
fn in_a_namespace_of_its_own() {
    let hosts = PathBuf::from(std::env::var_os(HOSTS).unwrap());
    let name_has = |addresses: &[&str]| {
        let lines: String = addresses.iter().map(|address| format!("{address} photos.test\n")).collect();
        // In its place, since the mount is of this file.
        std::fs::write(&hosts, format!("127.0.0.1 localhost\n{lines}")).unwrap();
    };
    let scratch = TempDir::new().unwrap();
    PhotoSet { seed: 3, classes: 4, per_class: 15, min_side: 300, max_side: 400 }.write(scratch.path()).unwrap();
    let mut old = ServerOptions::new(scratch.path()).at("127.0.0.2", 0).start().unwrap();
    let port = old.port();
    let epoch = |further: &[&str]| -> Run {
        let servers = format!("dns:///photos.test:{port}");
        let fixed = ["epoch", "--servers", &servers, "--dataset", "photos", "--recipe", "imagenet-train", "--json"];
        run("profiler", fixed.iter().chain(&["--mode", "jpeg-crop", "--digest", "--seed", "1"]).chain(further)).unwrap()
    };

    name_has(&[]);
    let none = epoch(&[]);
    assert!(none.code == Some(1) && none.stderr.contains("dns:///photos.test"), "{}", none.stderr);

    name_has(&["127.0.0.2"]);
    let calm = epoch(&[]).success().unwrap().json().unwrap();
    assert_eq!(calm["samples"], 60);

    // Another server takes the place of the one that the epoch began with.
    let _new = ServerOptions::new(scratch.path()).at("127.0.0.3", port).start().unwrap();
    let moved = std::thread::scope(|scope| {
        let running = scope.spawn(|| epoch(&["--limit-bandwidth", "300kbps"]));
        std::thread::sleep(Duration::from_secs(2));
        name_has(&["127.0.0.3"]);
        // Names are looked up every five seconds.
        std::thread::sleep(Duration::from_secs(7));
        old.kill().unwrap();
        running.join().unwrap()
    });
    let moved = moved.success().unwrap().json().unwrap();
    assert_eq!((&moved["samples"], &moved["tensors"]), (&calm["samples"], &calm["tensors"]));
    assert!(moved["seconds"].as_f64().unwrap() > 9.0, "the epoch was over before the server was gone: {moved}");
}
