//! What servers serve together is each sample once, or a refusal that names who has what.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use std::path::Path;

use headwater_testdata::PhotoSet;
use headwater_tests::{Run, Server, ServerOptions, fetch, run};
use tempfile::TempDir;

/// Photos of three classes, and a copy of them that was made at another time.
struct Folders {
    scratch: TempDir,
}

// === impl Folders ===

impl Folders {
    fn new() -> Self {
        let scratch = TempDir::new().unwrap();
        let photos = PhotoSet { classes: 3, per_class: 10, ..PhotoSet::default() };
        for name in ["photos", "copy", "drifted"] {
            photos.write(&scratch.path().join(name)).unwrap();
        }
        let (from, more) = (first_file(&scratch.path().join("drifted")), scratch.path().join("drifted/more.jpg"));
        std::fs::copy(from, more).unwrap();
        Self { scratch }
    }

    fn serve(&self, folder: &str, part: &str) -> Server {
        let options = ServerOptions::new(&self.scratch.path().join(folder)).arg("--partition").arg(part);
        options.arg("--no-cache").start().unwrap()
    }
}

fn first_file(folder: &Path) -> std::path::PathBuf {
    let class = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    std::fs::read_dir(class).unwrap().next().unwrap().unwrap().path()
}

fn fetching(servers: &[&str], out: &Path, further: &[&str]) -> Run {
    let servers = servers.join(",");
    let mut arguments = vec!["fetch", "--servers", &servers, "--dataset", "photos", "--out", out.to_str().unwrap()];
    arguments.extend(["--recipe", "imagenet-eval", "--cut", "encoded"]);
    arguments.extend(further);
    run("profiler", arguments).unwrap()
}

#[test]
fn parts_that_overlap_or_are_missing_are_refused() {
    let folders = Folders::new();
    let [all, half, third, drifted] =
        [("photos", "1/1"), ("photos", "1/2"), ("photos", "2/3"), ("drifted", "2/2")].map(|(f, p)| folders.serve(f, p));
    let out = folders.scratch.path().join("out");
    let addresses = |servers: [&Server; 2]| servers.map(Server::address);
    for (servers, words) in [
        (addresses([&all, &half]), "everything (1/1)"),
        (addresses([&half, &third]), "2/3"),
        (addresses([&half, &drifted]), "different photos"),
    ] {
        for further in [&[][..], &["--allow-partial"]] {
            let refused = fetching(&servers.each_ref().map(String::as_str), &out, further);
            assert_eq!(refused.code, Some(1), "{}", refused.stderr);
            assert!(refused.stderr.contains(words), "{words} in {}", refused.stderr);
            assert!(servers.iter().all(|server| refused.stderr.contains(server)), "{}", refused.stderr);
        }
    }
    assert!(!out.exists());
}

#[test]
fn a_missing_part_is_named_and_may_be_insisted_on() {
    let folders = Folders::new();
    let half = folders.serve("photos", "1/2");
    let out = folders.scratch.path().join("out");
    let refused = fetching(&[&half.address()], &out, &[]);
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("nobody has 2/2") && refused.stderr.contains("--allow-partial"),
        "{}",
        refused.stderr
    );
    assert!(!out.exists());
    let insisted = fetching(&[&half.address()], &out, &["--allow-partial"]).success().unwrap();
    assert!(insisted.stderr.contains("of 30 samples are served"), "{}", insisted.stderr);
}

#[test]
fn one_server_by_two_names_is_refused_by_both() {
    let folders = Folders::new();
    let server = folders.serve("photos", "1/1");
    let out = folders.scratch.path().join("out");
    let by_name = server.address().replace("127.0.0.1", "localhost");
    let refused = fetching(&[&server.address(), &by_name], &out, &[]);
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    let words = format!("{} and {by_name} are one server", server.address());
    assert!(refused.stderr.contains(&words), "{}", refused.stderr);
}

#[test]
fn halves_of_two_copies_are_one_dataset_and_two_folders_are_two() {
    let folders = Folders::new();
    let [half, other] = [("photos", "1/2"), ("copy", "2/2")].map(|(folder, part)| folders.serve(folder, part));
    let further = ["--recipe", "imagenet-eval", "--cut", "encoded"];
    let copies = fetch(&[half.address(), other.address()], &folders.scratch.path().join("copies"), &further).unwrap();
    let keys: std::collections::BTreeSet<_> = copies.samples.values().map(|row| row["key"].to_string()).collect();
    assert_eq!((copies.samples.len(), keys.len()), (30, 30));

    let own = folders.scratch.path().join("own");
    PhotoSet { classes: 2, per_class: 4, seed: 99, ..PhotoSet::default() }.write(&own).unwrap();
    let [all, own] = [("photos", "1/1"), ("own", "1/1")].map(|(folder, part)| folders.serve(folder, part));
    let two = fetch(&[all.address(), own.address()], &folders.scratch.path().join("two"), &further).unwrap();
    assert_eq!(two.samples.len(), 38);
}
