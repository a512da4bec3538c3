//! A full disk is no full index, and neither is a folder that may not be written: each is told, and nothing that was
//! made is lost.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use headwater_testdata::PhotoSet;
use headwater_tests::{Array, Run, ServerOptions, SmallDisk, Unprivileged, fetch, program};
use serde_json::Value;
use tempfile::TempDir;

const PHOTOS: u64 = 120;
/// A fraction of what the photos take.
const DISK: u64 = 512 << 10;

fn photos(folder: &Path) {
    PhotoSet { classes: 3, per_class: 40, ..PhotoSet::default() }.write(folder).unwrap();
}

fn count(report: &Value, what: &str) -> u64 {
    match &report[what] {
        Value::Object(by_reason) => by_reason.values().map(|count| count.as_u64().unwrap()).sum(),
        count => count.as_u64().unwrap(),
    }
}

/// Stopped for this reason, every photo in one count, and what to do said once.
fn stopped(run: &Run, reason: &str) -> Value {
    assert_eq!(run.code, Some(1), "{}{}", run.stderr, run.stdout);
    let report: Value = serde_json::from_str(run.stdout.lines().next().unwrap()).unwrap();
    assert_eq!(report["stopped"]["reason"], reason, "{report}");
    let parts = ["rewritten", "already_there", "fallen_back", "not_kept", "failed"];
    assert_eq!(parts.iter().map(|part| count(&report, part)).sum::<u64>(), count(&report, "photos"), "{report}");
    assert_eq!(report["not_kept"][reason], count(&report, "not_kept"), "{report}");
    assert!(count(&report, "not_kept") > 0 && count(&report["stopped"], "bytes_needed") > 0, "{report}");
    let said = run.stderr.lines().find(|line| line.contains("run this again")).unwrap();
    assert!(said.contains("--cache-dir ") && !said.contains("--cache-ssd"), "{said}");
    report
}

#[test]
fn indexing_onto_a_full_disk_fails_says_so_and_keeps_what_was_made() {
    let Some(disk) = SmallDisk::new(DISK).unwrap() else { return };
    let (data, out) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    photos(data.path());
    let script = r#"for run in 1 2; do "$@" >"$OUT/$run.out" 2>"$OUT/$run.err"; echo $? >"$OUT/$run.code"; done"#;
    let mut command = disk.command(script).unwrap();
    command.arg(program("storage-server")).args(["index", "--json", "--log", "warn", "--log-format", "text", "--data"]);
    command.env_remove("HEADWATER_CACHE_MIN_FREE");
    command.arg(data.path()).args(["--cache-ssd", "1GiB", "--cache-dir"]).arg(disk.path().join("index"));
    assert!(command.env("OUT", out.path()).status().unwrap().success());
    let [first, second] = ["1", "2"].map(|run| {
        let read = |what: &str| fs::read_to_string(out.path().join(format!("{run}.{what}"))).unwrap();
        let run = Run { code: read("code").trim().parse().ok(), stdout: read("out"), stderr: read("err") };
        assert!(run.stderr.contains("--cache-ssd is more than the disk has"), "{}", run.stderr);
        assert!(run.stderr.contains("where --cache-min-free begins"), "{}", run.stderr);
        stopped(&run, "free-space")
    });
    assert_eq!(count(&first, "photos"), PHOTOS);
    assert!(count(&first, "rewritten") > 0 && count(&first["stopped"], "bytes_free") < DISK / 4, "{first}");
    assert_eq!(count(&second, "already_there"), count(&first, "rewritten"), "{second}");
}

#[test]
fn a_folder_that_may_not_be_written_is_told_from_a_full_one() {
    let user = Unprivileged::new().unwrap();
    let (data, index) = (user.folder().join("photos"), user.folder().join("index"));
    photos(&data);
    let run = |further: &[&str]| {
        let mut command = user.command("storage-server").unwrap();
        command.args(["index", "--json", "--log", "error", "--jobs", "1", "--data"]).arg(&data);
        let output = command.arg("--cache-dir").arg(&index).args(further).output().unwrap();
        let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Run { code: output.status.code(), stdout, stderr }
    };
    run(&["--partition", "1/2"]).success().unwrap();
    let close = |mode: u32| {
        for entry in fs::read_dir(&index).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
            fs::set_permissions(entry, Permissions::from_mode(mode)).unwrap();
        }
        fs::set_permissions(&index, Permissions::from_mode(mode)).unwrap();
    };
    close(0o555);
    let refused = run(&[]);
    close(0o755);
    let report = stopped(&refused, "forbidden");
    assert!(refused.stderr.contains("may not write there"), "{}", refused.stderr);
    assert!(count(&report, "not_kept") > 0 && count(&report, "rewritten") == 0, "{report}");

    // One that cannot even be made is an error before anything is read.
    let closed = user.folder().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, Permissions::from_mode(0o555)).unwrap();
    user.own(&closed).unwrap();
    let mut command = user.command("storage-server").unwrap();
    command.args(["index", "--data"]).arg(&data).arg("--cache-dir").arg(closed.join("index"));
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("--cache-dir") && said.contains("that this user may write to"), "{said}");
    let whole = run(&[]).success().unwrap().json().unwrap();
    assert!(whole["stopped"].is_null() && count(&whole, "not_kept") == 0, "{whole}");
}

#[test]
fn a_server_whose_index_has_no_disk_left_serves_the_same_and_counts_why() {
    let Some(disk) = SmallDisk::new(DISK).unwrap() else { return };
    let data = TempDir::new().unwrap();
    photos(data.path());
    let bare = disk.program(&program("storage-server")).unwrap();
    let full = ServerOptions::new(data.path()).bare(&bare).metrics().arg("--cache-dir").arg(disk.path().join("index"));
    let full = full.variable("HEADWATER_CACHE_MIN_FREE", "10%");
    let full = full.start().unwrap();
    let without = ServerOptions::new(data.path()).arg("--no-cache").start().unwrap();
    let crops = |address: String| -> std::collections::BTreeMap<u64, Array> {
        let out = TempDir::new().unwrap();
        let further = ["--recipe", "imagenet-train", "--cut", "jpeg-crop", "--seed", "1", "--epoch", "0"];
        fetch(&[address], out.path(), &further).unwrap().arrays
    };
    assert!(crops(full.address()) == crops(without.address()), "other bits are served where the disk is full");
    let metrics = full.metrics().unwrap();
    let value = |name: &str| -> u64 {
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().parse().unwrap()
    };
    assert!(value("headwater_index_kept_total{dataset=\"photos\"}") > 0, "{metrics}");
    assert!(value("headwater_index_not_kept_total{dataset=\"photos\",reason=\"free-space\"}") > 0, "{metrics}");
    assert_eq!(value("headwater_index_not_kept_total{dataset=\"photos\",reason=\"limit\"}"), 0, "{metrics}");
}
