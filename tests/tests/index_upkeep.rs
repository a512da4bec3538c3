//! The photo index over time: what photos that are gone leave behind, what happens to its folder, and who else has it
//! open. Whatever it is, what is served is what would be served without an index.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that panics has said what it found")]
#![expect(clippy::disallowed_methods, reason = "a server counts its index in a time of its own")]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use headwater_testdata::PhotoSet;
use headwater_tests::{Fetched, Server, ServerOptions, fetch, run};
use serde_json::Value;
use tempfile::TempDir;

/// A folder of photos that may be changed, and a place for an index.
struct Scene {
    scratch: TempDir,
    photos: PathBuf,
    index: PathBuf,
    /// Photos, all of them JPEGs.
    count: usize,
}

impl Scene {
    fn new() -> Self {
        let scratch = TempDir::new().unwrap();
        let (photos, index) = (scratch.path().join("photos"), scratch.path().join("index"));
        PhotoSet { classes: 2, per_class: 20, ..PhotoSet::default() }.write(&photos).unwrap();
        let scene = Self { scratch, photos, index, count: 0 };
        let (jpegs, others): (Vec<_>, Vec<_>) =
            scene.keys().into_iter().partition(|photo| photo.extension().is_some_and(|suffix| suffix == "jpg"));
        others.iter().for_each(|photo| fs::remove_file(photo).unwrap());
        Self { count: jpegs.len(), ..scene }
    }

    /// `storage-server index` of a folder, and its report.
    fn index(&self, photos: &Path, further: &[&str]) -> Value {
        let (photos, index) = (photos.display().to_string(), self.index.display().to_string());
        let base = ["index", "--data", &photos, "--cache-dir", &index, "--json", "--log", "warn"];
        run("storage-server", base.iter().chain(further)).unwrap().success().unwrap().json().unwrap()
    }

    fn server(&self) -> ServerOptions {
        ServerOptions::new(&self.photos).metrics().arg("--cache-dir").arg(&self.index)
    }

    /// The files of all entries.
    fn entries(&self) -> BTreeSet<PathBuf> {
        let listed = |folder: &Path| fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
        let shards: Vec<_> = listed(&self.index).filter(|path| path.is_dir()).collect();
        shards.iter().flat_map(|shard| listed(shard)).collect()
    }

    fn keys(&self) -> Vec<PathBuf> {
        let classes = fs::read_dir(&self.photos).unwrap().map(|class| class.unwrap().path());
        let mut files: Vec<_> =
            classes.flat_map(|class| fs::read_dir(class).unwrap().map(|file| file.unwrap().path())).collect();
        files.sort();
        files
    }
}

fn crops(server: &Server, cut: &str) -> Fetched {
    let out = TempDir::new().unwrap();
    let further = ["--recipe", "imagenet-train", "--cut", cut, "--seed", "3"];
    fetch(&[server.address()], out.path(), &further).unwrap()
}

fn metric(server: &Server, name: &str) -> u64 {
    let metrics = server.metrics().unwrap();
    // What the folder takes is the cache's, of all kinds.
    let of_all = match name {
        "dropped_total" => format!("headwater_cache_disk_{name} "),
        name => format!("headwater_cache_{name} "),
    };
    let of_one = match name.split_once('{') {
        Some((name, labels)) => format!("headwater_index_{name}{{dataset=\"photos\",{labels} "),
        None => format!("headwater_index_{name}{{dataset=\"photos\"}} "),
    };
    let found = metrics
        .lines()
        .find_map(|line| line.strip_prefix(&of_all).or_else(|| line.strip_prefix(&of_one)))
        .unwrap_or_else(|| panic!("no {name}"));
    // Counts, and bytes in whole blocks.
    found.trim().parse::<f64>().unwrap() as u64
}

/// Waits until something holds of a server.
fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < end, "not in a minute: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn count(report: &Value, what: &str) -> u64 {
    report[what].as_u64().unwrap()
}

#[test]
fn entries_of_photos_that_are_gone_or_changed_are_dropped_and_no_others() {
    let scene = Scene::new();
    let total = scene.count;
    let others = scene.scratch.path().join("others");
    PhotoSet { classes: 1, per_class: 7, seed: 99, ..PhotoSet::default() }.write(&others).unwrap();
    assert_eq!(count(&scene.index(&scene.photos, &[]), "rewritten"), total as u64);
    let of_others = scene.index(&others, &[]);
    let entries = total + count(&of_others, "rewritten") as usize;
    assert_eq!(count(&of_others, "dropped"), 0);
    let all = scene.entries();
    assert_eq!(all.len(), entries);

    let photos = scene.keys();
    photos[..6].iter().for_each(|photo| fs::remove_file(photo).unwrap());
    for photo in &photos[6..10] {
        let copied = fs::read(photo).unwrap();
        fs::write(photo, [&copied[..], b"another length"].concat()).unwrap();
    }
    // The other dataset's server, and each part's, judge what is theirs.
    assert_eq!(count(&scene.index(&others, &[]), "dropped"), 0);
    let first = scene.index(&scene.photos, &["--partition", "1/2"]);
    let second = scene.index(&scene.photos, &["--partition", "2/2"]);
    let dropped = [count(&first, "dropped"), count(&second, "dropped")];
    assert!(dropped.iter().sum::<u64>() == 10 && dropped.iter().all(|part| *part > 0), "{dropped:?}");
    assert_eq!(count(&first, "rewritten") + count(&second, "rewritten"), 4);
    assert_eq!(scene.entries().len(), entries - 6);
    assert_eq!(scene.entries().intersection(&all).count(), entries - 10);

    // And so does a server at its start, beside serving.
    photos[10..13].iter().for_each(|photo| fs::remove_file(photo).unwrap());
    let server = scene.server().start().unwrap();
    wait_until("the dead are dropped", || metric(&server, "dropped_total") == 3);
    assert_eq!(scene.entries().len(), entries - 9);
    assert_eq!(crops(&server, "jpeg-crop").arrays.len(), total - 9);
    assert_eq!(metric(&server, "kept_total"), 0, "all that is there was there");
}

#[test]
fn a_listing_that_would_not_find_a_photo_does_not_judge_it() {
    let scene = Scene::new();
    let total = scene.count;
    // What only a server that takes all files has: photos without their suffix.
    let hidden = scene.photos.join("0-nameless");
    fs::create_dir(&hidden).unwrap();
    for (at, photo) in scene.keys()[..5].iter().enumerate() {
        fs::copy(photo, hidden.join(format!("photo{at}"))).unwrap();
    }
    assert_eq!(count(&scene.index(&scene.photos, &["--all-files"]), "rewritten"), total as u64 + 5);
    assert_eq!(count(&scene.index(&scene.photos, &[]), "dropped"), 0);
    fs::remove_dir_all(&hidden).unwrap();
    assert_eq!(count(&scene.index(&scene.photos, &[]), "dropped"), 0);
    assert_eq!(count(&scene.index(&scene.photos, &["--all-files"]), "dropped"), 5);
}

#[test]
fn servers_start_and_serve_while_an_index_without_a_ledger_is_counted() {
    let scene = Scene::new();
    let total = scene.count;
    scene.index(&scene.photos, &[]);
    // Many entries of other photos: links to one file.
    let shards: Vec<_> = (0..=u8::MAX).map(|shard| scene.index.join(format!("{shard:02x}"))).collect();
    let one = scene.scratch.path().join("entry");
    fs::write(&one, [0; 100]).unwrap();
    let mut made = 0;
    for shard in &shards {
        fs::create_dir_all(shard).unwrap();
        for number in 0..100_u64 {
            fs::hard_link(&one, shard.join(format!("{number:014x}-{:016x}-{made:016x}-i", 7))).unwrap();
            made += 1;
        }
    }
    fs::remove_file(scene.index.join("usage")).unwrap();
    // One who counts, or who was stopped while he counted.
    let ledger = File::options().create(true).append(true).open(scene.index.join("usage")).unwrap();
    ledger.lock().unwrap();
    let servers: Vec<_> = std::thread::scope(|scope| {
        let starting: Vec<_> = (0..3).map(|_| scope.spawn(|| scene.server().start())).collect();
        starting.into_iter().map(|server| server.join().unwrap().unwrap()).collect()
    });
    for server in &servers {
        assert_eq!(crops(server, "jpeg-crop").arrays.len(), total);
    }
    assert_eq!(scene.entries().len(), total + made, "nothing is added to what is not counted");
    ledger.unlock().unwrap();
    let taken = 4096 * made as u64;
    for server in &servers {
        wait_until("the index is counted", || metric(server, "disk_bytes") > taken);
    }
    fs::remove_file(scene.keys()[0].as_path()).unwrap();
    let report = scene.index(&scene.photos, &[]);
    assert_eq!((count(&report, "dropped"), count(&report, "already_there")), (1, total as u64 - 1), "{report}");
}

#[test]
fn an_index_that_is_deleted_under_a_server_is_begun_anew_and_each_photo_re_written_once() {
    let scene = Scene::new();
    let total = scene.count;
    let server = scene.server().start().unwrap();
    let expected = crops(&server, "jpeg-crop").arrays;
    assert_eq!(metric(&server, "kept_total"), total as u64);
    fs::remove_dir_all(&scene.index).unwrap();
    for _ in 0..4 {
        assert!(crops(&server, "jpeg-crop").arrays == expected, "other bits are served");
    }
    assert_eq!((metric(&server, "kept_total"), metric(&server, "renewed_total")), (2 * total as u64, 1));
    assert_eq!(scene.entries().len(), total);
    // Where it cannot be made anew, nothing is re-written for it.
    fs::remove_dir_all(&scene.index).unwrap();
    fs::write(&scene.index, b"in the way").unwrap();
    for _ in 0..2 {
        assert_eq!(crops(&server, "jpeg-crop").arrays.len(), total);
    }
    assert_eq!(metric(&server, "kept_total"), 2 * total as u64);
    assert_eq!(metric(&server, "not_kept_total{reason=\"other\"}"), 2 * total as u64);
    fs::remove_file(&scene.index).unwrap();
    assert!(crops(&server, "jpeg-crop").arrays == expected, "other bits are served");
    assert_eq!(scene.entries().len(), total, "it is tried again");
}

#[test]
fn what_is_no_file_in_an_entrys_place_holds_nobody_up() {
    let scene = Scene::new();
    let total = scene.count;
    scene.index(&scene.photos, &[]);
    let server = scene.server().start().unwrap();
    for cut in ["cropped", "jpeg-crop"] {
        let expected = crops(&server, cut).arrays;
        for (at, entry) in scene.entries().iter().enumerate().filter(|(at, _)| at % 2 == 0) {
            fs::remove_file(entry).unwrap();
            match at % 8 {
                0 => assert!(Command::new("mkfifo").arg(entry).status().unwrap().success()),
                2 => fs::create_dir(entry).unwrap(),
                4 => std::os::unix::fs::symlink("/dev/zero", entry).unwrap(),
                _ => drop(UnixListener::bind(entry).unwrap()),
            }
        }
        assert!(crops(&server, cut).arrays == expected, "other bits are served at {cut}");
    }
    assert_eq!(scene.entries().iter().filter(|entry| entry.is_file()).count(), total, "they were made again");
}

#[test]
fn a_photo_that_is_gone_or_another_is_a_failure_with_an_index_as_without() {
    let scene = Scene::new();
    let total = scene.count;
    scene.index(&scene.photos, &[]);
    let with = scene.server().start().unwrap();
    let without = ServerOptions::new(&scene.photos).arg("--no-cache").start().unwrap();
    assert_eq!(crops(&with, "jpeg-crop").arrays.len(), total);
    let photos = scene.keys();
    fs::remove_file(&photos[3]).unwrap();
    fs::write(&photos[5], b"no photo").unwrap();
    for cut in ["encoded", "jpeg-crop", "decoded", "cropped", "normalized"] {
        let (with, without) = (crops(&with, cut), crops(&without, cut));
        let failed = |fetched: &Fetched| -> Vec<_> {
            let failed = fetched.samples.values().filter(|sample| !sample["error"].is_null());
            failed.map(|sample| (sample["index"].clone(), sample["error"]["kind"].clone())).collect()
        };
        assert_eq!(failed(&with), failed(&without), "{cut}");
        assert_eq!(failed(&with), [(3.into(), "not-found".into()), (5.into(), "changed".into())], "{cut}");
        assert_eq!(with.arrays.len(), total - 2);
    }
}
