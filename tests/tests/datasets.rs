//! One server, several datasets: each is served as if it were alone, and one that is broken keeps no other from it.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use std::fs;
use std::path::Path;

use headwater_testdata::PhotoSet;
use headwater_tests::{Run, Server, ServerOptions, get, run};
use tempfile::TempDir;

fn photos(at: &Path, classes: usize) {
    PhotoSet { classes, per_class: 20, ..PhotoSet::default() }.write(at).unwrap();
}

/// Two datasets, one of them in two parts, and one whose folder is not there.
struct Place(TempDir);

// === impl Place ===

impl Place {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        photos(&folder.path().join("photos"), 3);
        photos(&folder.path().join("flowers"), 5);
        Self(folder)
    }

    fn spec(&self, name: &str, folder: &str, options: &str) -> String {
        format!("{name}={}{options}", self.0.path().join(folder).display())
    }

    fn serve(&self) -> Server {
        let datasets = [
            self.spec("photos", "photos", ""),
            self.spec("half", "flowers", ",partition=1/2"),
            self.spec("other-half", "flowers", ",partition=2/2"),
            self.spec("broken", "not-there", ""),
        ];
        ServerOptions::several(&datasets).metrics().start().unwrap()
    }
}

fn fetch(server: &Server, dataset: &str, out: &Path) -> Run {
    let out = out.join(dataset).display().to_string();
    let (address, cut) = (server.address(), "cropped");
    let arguments = ["fetch", "--servers", &address, "--dataset", dataset, "--recipe", "imagenet-train", "--cut", cut];
    let further = ["--seed", "1", "--epoch", "0", "--allow-partial", "--json", "--out", &out];
    run("profiler", arguments.into_iter().chain(further)).unwrap()
}

#[test]
fn datasets_are_served_side_by_side_and_a_broken_one_is_told_of() {
    let (place, out) = (Place::new(), TempDir::new().unwrap());
    let server = place.serve();
    let ready = get(&server.metrics_address().unwrap(), "/readyz").unwrap();
    assert!(ready.starts_with("HTTP/1.1 200"), "{ready}");
    assert!(ready.contains("ready, but the dataset broken is not ready: ") && ready.contains("not-there"), "{ready}");

    let asked = ["photos", "half", "other-half", "broken"];
    let fetched: Vec<_> = std::thread::scope(|scope| {
        let each = asked.map(|dataset| scope.spawn(|| fetch(&server, dataset, out.path())));
        each.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let counts: Vec<_> = fetched[..3].iter().map(|run| run.json().unwrap()["samples"].as_u64().unwrap()).collect();
    assert_eq!((counts[0], counts[1] + counts[2]), (60, 100), "{counts:?}");
    let refused = &fetched[3];
    assert_ne!(refused.code, Some(0));
    let reason = "the dataset broken is not ready: --dataset broken: ";
    for words in [reason, "not-there: no such folder", "this server serves 60 samples of photos"] {
        assert!(refused.stderr.contains(words), "{words}: {}", refused.stderr);
    }
    let unknown = fetch(&server, "unknown", out.path());
    assert!(unknown.stderr.contains("it serves photos, half, other-half, broken"), "{}", unknown.stderr);

    for (dataset, count) in [("photos", 60.0), ("broken", 0.0)] {
        let name = format!("headwater_samples_delivered_total{{dataset=\"{dataset}\",cut=\"cropped\"}}");
        assert_eq!(server.metric(&name).unwrap(), Some(count), "{dataset}");
    }

    // It is opened once it is mended.
    photos(&place.0.path().join("not-there"), 1);
    let reloaded = run("storage-server", ["reload", "--address", &server.address(), "--json"]).unwrap();
    let reloaded = reloaded.success().unwrap().json().unwrap();
    assert_eq!(reloaded["datasets"][3]["samples"], 20, "{reloaded}");
    assert_eq!(fetch(&server, "broken", out.path()).success().unwrap().json().unwrap()["samples"], 20);
    let ready = get(&server.metrics_address().unwrap(), "/readyz").unwrap();
    assert!(ready.ends_with("ready\n"), "{ready}");
}

#[test]
fn the_file_has_a_table_for_each_dataset_and_paths_beside_it() {
    let place = Place::new();
    let file = place.0.path().join("server.toml");
    let tables = "[serve]\nno-index = true\n[[serve.dataset]]\nname = \"photos\"\nuri = \"photos\"\n\
                  [[serve.dataset]]\nname = \"half\"\nuri = \"flowers\"\npartition = \"1/2\"\n";
    fs::write(&file, tables).unwrap();
    let check = |file: &Path| {
        let file = file.display().to_string();
        run("storage-server", ["--config", &file, "serve", "--listen", "127.0.0.1:0", "--check-config"]).unwrap()
    };
    let checked = check(&file);
    assert_eq!(checked.code, Some(0), "{}", checked.stderr);
    let shown = place.spec("half", "flowers", ",partition=1/2");
    assert!(checked.stdout.contains(&shown), "{shown}: {}", checked.stdout);

    fs::write(&file, tables.replace("uri = \"flowers\"", "uri = \"none\"")).unwrap();
    let checked = check(&file);
    assert!(checked.code == Some(2) && checked.stderr.contains("--dataset half "), "{}", checked.stderr);
    fs::write(&file, tables.replace("partition =", "partitoin =")).unwrap();
    let checked = check(&file);
    assert!(checked.code == Some(2) && checked.stderr.contains("there is no option"), "{}", checked.stderr);
    fs::write(&file, tables.replace("uri = \"flowers\"\n", "")).unwrap();
    let checked = check(&file);
    assert!(checked.code == Some(2) && checked.stderr.contains("give name and uri"), "{}", checked.stderr);
}

#[test]
fn a_server_that_could_serve_nothing_does_not_start() {
    let place = Place::new();
    let datasets = [place.spec("a", "none", ""), place.spec("b", "neither", "")];
    let arguments =
        ["serve", "--no-cache", "--listen", "127.0.0.1:0", "--dataset", &datasets[0], "--dataset", &datasets[1]];
    let ended = run("storage-server", arguments).unwrap();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("none of 2 datasets can be served: --dataset a: "), "{}", ended.stderr);
}
