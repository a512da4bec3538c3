//! What of a folder is a sample: photos by their names, nothing that cannot be read without a word, and no folder of
//! junk.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Output;

use headwater_testdata::PhotoSet;
use headwater_tests::{Run, ServerOptions, Unprivileged, fetch, run};
use headwater_types::Format;
use headwater_wire::proto::DescribeRequest;
use headwater_wire::proto::datasets_client::DatasetsClient;
use tempfile::TempDir;

/// 120 photos of three classes; gives the names of the classes.
fn photos(folder: &Path) -> Vec<String> {
    PhotoSet { classes: 3, per_class: 40, max_side: 120, ..PhotoSet::default() }.write(folder).unwrap();
    let mut classes: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    classes.sort();
    classes.into_iter().map(|class| class.into_string().unwrap()).collect()
}

/// What lies in a folder of photos that people have used.
fn litter(folder: &Path, class: &str) {
    let names = [
        "labels.csv",
        "a.json",
        "Thumbs.db",
        "README.txt",
        "LICENSE",
        "video.mp4",
        "scan.heic",
        "anim.AVIF",
        ".DS_Store",
    ];
    for name in names {
        fs::write(folder.join(class).join(name), b"no photo").unwrap();
    }
    fs::write(folder.join(class).join("._0.jpg"), b"\0\x05\x16\x07").unwrap();
    fs::create_dir(folder.join("notes")).unwrap();
    fs::write(folder.join("notes/todo.md"), b"no photo").unwrap();
    symlink("/etc/passwd", folder.join(class).join("out.jpg")).unwrap();
}

fn index(folder: &Path, index: &Path, further: &[&str]) -> Run {
    let mut arguments = vec!["index".into(), "--data".into(), folder.as_os_str().to_owned()];
    arguments.extend(["--cache-dir".into(), index.as_os_str().to_owned()]);
    arguments.extend(["--json", "--log", "warn", "--log-format", "text"].map(Into::into));
    arguments.extend(further.iter().map(Into::into));
    run("storage-server", arguments).unwrap()
}

/// The class list that clients see.
fn classes_of(address: &str) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut client = DatasetsClient::connect(format!("http://{address}")).await.unwrap();
        let request = DescribeRequest { dataset: "photos".to_owned(), digest: Default::default() };
        client.describe(request).await.unwrap().into_inner().classes
    })
}

const EVERYTHING: [&str; 8] = ["--recipe", "imagenet-train", "--cut", "cropped", "--seed", "1", "--epoch", "0"];

#[test]
fn files_that_are_no_photos_are_no_samples_and_are_counted_and_named() {
    let root = TempDir::new().unwrap();
    let folder = root.path().join("photos");
    let classes = photos(&folder);
    litter(&folder, &classes[1]);

    let said = index(&folder, &root.path().join("index"), &[]).success().unwrap();
    assert_eq!(said.json().unwrap()["photos"], 120);
    for (reason, count, part) in [
        ("no-photo", 7, ".csv 1, .db 1, .json 1, .md 1, .mp4 1, .txt 1, no suffix 1"),
        ("unsupported-format", 2, ".avif 1, .heic 1"),
        ("hidden", 2, "/.DS_Store"),
        ("empty-folder", 1, "notes"),
        ("link-out", 1, "/out.jpg"),
    ] {
        let line = said.stderr.lines().find(|line| line.contains(&format!("reason=\"{reason}\"")));
        let line = line.unwrap();
        assert!(line.contains("WARN") && line.contains(&format!("count={count}")) && line.contains(part), "{line}");
    }

    let samples = |options: ServerOptions| {
        let (server, out) = (options.start().unwrap(), TempDir::new().unwrap());
        let fetched = fetch(&[server.address()], out.path(), &EVERYTHING).unwrap();
        let failed = fetched.samples.values().filter(|sample| !sample["error"].is_null()).count();
        (fetched.samples.len(), failed, classes_of(&server.address()))
    };
    assert_eq!(samples(ServerOptions::new(&folder)), (120, 0, classes.clone()));
    // By content: everything but what is hidden and the link is a sample, and the folder of notes a class.
    let with_notes = {
        let mut all = classes;
        all.push("notes".to_owned());
        all.sort();
        all
    };
    assert_eq!(samples(ServerOptions::new(&folder).arg("--all-files")), (129, 9, with_notes));
}

#[test]
fn a_folder_of_junk_is_an_error_that_says_what_is_in_it() {
    let root = TempDir::new().unwrap();
    let folder = root.path().join("photos");
    fs::create_dir_all(&folder).unwrap();
    let empty = index(&folder, &root.path().join("index"), &[]);
    assert_eq!(empty.code, Some(1));
    assert!(empty.stderr.contains("has no photos: nothing is there"), "{}", empty.stderr);
    for name in ["1.raw", "2.raw", "3.heic", "README"] {
        fs::write(folder.join(name), b"x").unwrap();
    }
    let junk = index(&folder, &root.path().join("index"), &[]);
    assert_eq!(junk.code, Some(1));
    for part in ["--data", ".raw 2, no suffix 1", ".heic 1", "--all-files"] {
        assert!(junk.stderr.contains(part), "{part} in {}", junk.stderr);
    }
}

/// A copy of the photos whose second class nobody may enter; what closes it is undone with the folder.
struct Closed {
    user: Unprivileged,
    photos: PathBuf,
    classes: Vec<String>,
    class: String,
}

impl Closed {
    fn new() -> Self {
        let user = Unprivileged::new().unwrap();
        let photos = user.folder().join("photos");
        let classes = self::photos(&photos);
        let class = classes[1].clone();
        fs::set_permissions(photos.join(&class), Permissions::from_mode(0o000)).unwrap();
        Self { user, photos, classes, class }
    }

    fn index(&self, further: &[&str]) -> Run {
        let mut command = self.user.command("storage-server").unwrap();
        command.args(["index", "--log", "warn", "--log-format", "text", "--data"]).arg(&self.photos);
        let Output { status, stdout, stderr } =
            command.arg("--cache-dir").arg(self.user.folder().join("index")).args(further).output().unwrap();
        let [stdout, stderr] = [stdout, stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Run { code: status.code(), stdout, stderr }
    }
}

impl Drop for Closed {
    fn drop(&mut self) {
        let _ = fs::set_permissions(self.photos.join(&self.class), Permissions::from_mode(0o755));
    }
}

#[test]
fn a_class_that_cannot_be_read_is_an_error_that_names_it_and_stays_a_class_where_it_is_skipped() {
    let closed = Closed::new();
    let refused = closed.index(&[]);
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    for part in [
        "--data",
        "1 folders or files cannot be read",
        &format!("{} (Permission denied", closed.class),
        "--skip-unreadable",
    ] {
        assert!(refused.stderr.contains(part), "{part} in {}", refused.stderr);
    }
    assert!(ServerOptions::new(&closed.photos).unprivileged().start().is_err(), "it serves what it cannot see");

    let insisted = closed.index(&["--skip-unreadable", "--json"]).success().unwrap();
    assert_eq!(insisted.json().unwrap()["photos"], 80);
    assert!(
        insisted.stderr.contains("reason=\"unreadable\"") && insisted.stderr.contains(&closed.class),
        "{}",
        insisted.stderr
    );

    let options = ServerOptions::new(&closed.photos).unprivileged().metrics().arg("--skip-unreadable");
    let server = options.start().unwrap();
    let metrics = server.metrics().unwrap();
    assert!(metrics.contains("headwater_dataset_left_out{dataset=\"photos\",reason=\"unreadable\"} 1.0"), "{metrics}");
    let out = TempDir::new().unwrap();
    let fetched = fetch(&[server.address()], out.path(), &EVERYTHING).unwrap();
    assert_eq!(fetched.samples.len(), 80);
    // The third class is still the third.
    assert_eq!(classes_of(&server.address()), closed.classes);
}

#[test]
fn a_photo_that_may_not_be_read_is_forbidden_and_its_neighbours_are_not() {
    let user = Unprivileged::new().unwrap();
    let folder = user.folder().join("photos");
    let class = folder.join(photos(&folder).swap_remove(1));
    let photo = fs::read_dir(&class).unwrap().next().unwrap().unwrap().path();
    fs::set_permissions(&photo, Permissions::from_mode(0o000)).unwrap();
    let server = ServerOptions::new(&folder).unprivileged().start().unwrap();
    let out = TempDir::new().unwrap();
    let fetched = fetch(&[server.address()], out.path(), &EVERYTHING).unwrap();
    let failed: Vec<_> = fetched.samples.values().filter(|sample| !sample["error"].is_null()).collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0]["key"], photo.strip_prefix(&folder).unwrap().to_str().unwrap());
    assert_eq!(failed[0]["error"]["kind"], "forbidden");
}

#[test]
fn clients_are_told_what_servers_left_out_and_of_one_listing_once() {
    let root = TempDir::new().unwrap();
    let folder = root.path().join("photos");
    let classes = photos(&folder);
    symlink(&classes[0], folder.join("zebra")).unwrap();
    fs::write(folder.join(&classes[1]).join("scan.heic"), b"no photo").unwrap();
    fs::write(folder.join("README.md"), b"usual").unwrap();
    let parts = ["1/2", "2/2"].map(|part| ServerOptions::new(&folder).arg("--partition").arg(part).start().unwrap());
    let servers = parts.each_ref().map(headwater_tests::Server::address);
    let out = root.path().join("out").display().to_string();
    let both = servers.join(",");
    let fetched = run(
        "profiler",
        ["fetch", "--servers", &both, "--dataset", "photos", "--out", &out, "--log-format", "text"]
            .iter()
            .chain(&EVERYTHING),
    );
    let said = fetched.unwrap().success().unwrap().stderr;
    let warned = |words: &str| said.lines().filter(|line| line.contains("WARN") && line.contains(words)).count();
    let (both, formats) = (servers.join(", "), Format::listed("or"));
    for words in [
        format!("name the folder in which their targets lie with --follow-links: 1 at {both} (zebra)"),
        format!("convert them to {formats}: 1 at {both} ({}/scan.heic; .heic 1)", classes[1]),
    ] {
        assert_eq!(warned(&words), 1, "{words} in {said}");
    }
    assert_eq!(warned("README.md"), 0, "one file of 120 is nothing that somebody must be told: {said}");
}

#[test]
fn a_photo_of_no_bytes_is_a_sample_that_fails_by_name() {
    let root = TempDir::new().unwrap();
    let folder = root.path().join("photos");
    let classes = photos(&folder);
    let key = format!("{}/0-empty.jpg", classes[0]);
    fs::write(folder.join(&key), b"").unwrap();
    let server = ServerOptions::new(&folder).start().unwrap();
    for cut in ["cropped", "normalized"] {
        let out = TempDir::new().unwrap();
        let fetched = fetch(&[server.address()], out.path(), &["--recipe", "imagenet-train", "--cut", cut]).unwrap();
        assert_eq!(fetched.samples.len(), 121);
        let failed: Vec<_> = fetched.samples.values().filter(|sample| !sample["error"].is_null()).collect();
        assert_eq!(failed.len(), 1, "{cut}");
        assert_eq!(
            (failed[0]["key"].as_str(), failed[0]["error"]["kind"].as_str()),
            (Some(&*key), Some("unsupported-format"))
        );
    }
}
