//! Photos re-written ahead: the source is not touched, the disk is bounded, and whatever happens to the index, what is
//! served stays the same.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that panics has said what it found")]
#![expect(clippy::disallowed_methods, reason = "the kill has to come at some moment")]

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use headwater_tests::{Array, Data, ServerOptions, fetch, program, run};
use serde_json::Value;
use tempfile::TempDir;

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files
}

/// The frames of an index, by name.
fn frames(index: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let frames = files(index).into_iter().filter(|file| !file.ends_with("usage"));
    frames.map(|file| (file.strip_prefix(index).unwrap().to_owned(), std::fs::read(&file).unwrap())).collect()
}

/// What a folder of photos is like: content and times.
fn state(photos: &Path) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
    let modified = |file: &Path| std::fs::metadata(file).unwrap().modified().unwrap();
    files(photos).into_iter().map(|file| (file.clone(), (std::fs::read(&file).unwrap(), modified(&file)))).collect()
}

fn arguments(photos: &Path, index: &Path, further: &[&str]) -> Vec<String> {
    let (photos, index) = (photos.display().to_string(), index.display().to_string());
    let base = ["index", "--data", &photos, "--cache-dir", &index, "--json", "--log", "warn"];
    base.iter().chain(further).map(|argument| (*argument).to_owned()).collect()
}

fn index(photos: &Path, index: &Path, further: &[&str]) -> Value {
    run("storage-server", arguments(photos, index, further)).unwrap().success().unwrap().json().unwrap()
}

fn start(photos: &Path, index: &Path, further: &[&str]) -> Child {
    let mut command = Command::new(program("storage-server"));
    command.args(arguments(photos, index, further)).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

/// Waits until an index has this many files.
fn wait_for(index: &Path, count: usize, child: &mut Child) {
    while files(index).len() < count {
        assert!(child.try_wait().unwrap().is_none(), "it ended before there were {count} files");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn count(report: &Value, what: &str) -> u64 {
    match &report[what] {
        Value::Object(by_reason) => by_reason.values().map(|count| count.as_u64().unwrap()).sum(),
        count => count.as_u64().unwrap_or_else(|| panic!("no {what} in {report}")),
    }
}

/// Every photo is in exactly one count.
fn sums_up(report: &Value, photos: u64) {
    let parts = ["rewritten", "already_there", "fallen_back", "not_kept", "failed"];
    assert_eq!(parts.iter().map(|part| count(report, part)).sum::<u64>(), photos, "{report}");
    assert_eq!(count(report, "photos"), photos, "{report}");
}

/// Blocks that the frames take.
fn disk(index: &Path) -> u64 {
    frames(index).values().map(|frame| (frame.len() as u64).next_multiple_of(4096)).sum()
}

#[test]
fn every_photo_is_accounted_for_once_and_the_source_is_as_it_was() {
    let data = Data::photos().unwrap();
    let (folder, before) = (data.scratch.path().join("index"), state(&data.photos));
    let first = index(&data.photos, &folder, &["--jobs", "2"]);
    sums_up(&first, before.len() as u64);
    let rewritten = count(&first, "rewritten");
    let jpegs = before.len() as u64 - first["fallen_back"]["not-jpeg"].as_u64().unwrap_or(0);
    assert!(rewritten * 100 >= jpegs * 97, "{first}");
    // Markers are the dearer, the smaller the photos: these have 23 kB.
    assert!(first["ratio"].as_f64().unwrap() <= 1.02, "{first}");
    assert_eq!(count(&first, "disk_bytes"), disk(&folder));

    let made = frames(&folder);
    let second = index(&data.photos, &folder, &[]);
    sums_up(&second, before.len() as u64);
    assert_eq!((count(&second, "already_there"), count(&second, "rewritten")), (rewritten, 0), "{second}");
    assert_eq!(second["bytes_after"], first["bytes_after"]);
    assert_eq!((frames(&folder), state(&data.photos)), (made, before));
}

#[test]
fn after_a_kill_the_next_run_goes_on_and_the_index_is_the_same() {
    let data = Data::photos().unwrap();
    let photos = files(&data.photos).len() as u64;
    let (killed, whole) = (data.scratch.path().join("killed"), data.scratch.path().join("whole"));
    index(&data.photos, &whole, &[]);
    for there in [20, 60, 120] {
        let mut child = start(&data.photos, &killed, &[]);
        wait_for(&killed, there, &mut child);
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let resumed = index(&data.photos, &killed, &[]);
    sums_up(&resumed, photos);
    assert!(count(&resumed, "already_there") >= 100, "{resumed}");
    // What was being written when the kill came is swept by whoever opens the folder next, beside its work.
    let again = index(&data.photos, &killed, &[]);
    assert_eq!(count(&again, "already_there"), count(&resumed, "already_there") + count(&resumed, "rewritten"));
    let finished = |index: &Path| {
        let mut frames = frames(index);
        frames.retain(|name, _| !name.file_name().unwrap().as_encoded_bytes().starts_with(b"_"));
        frames
    };
    assert!(finished(&killed) == frames(&whole), "another index than that of a run without a kill");
}

#[test]
fn an_interrupt_ends_it_with_the_code_that_shells_expect() {
    let data = Data::photos().unwrap();
    let folder = data.scratch.path().join("index");
    let mut child = start(&data.photos, &folder, &["--jobs", "1"]);
    wait_for(&folder, 10, &mut child);
    Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let resumed = index(&data.photos, &folder, &[]);
    sums_up(&resumed, files(&data.photos).len() as u64);
    assert!(count(&resumed, "already_there") >= 5, "{resumed}");
}

#[test]
fn servers_and_indexers_that_share_a_folder_stay_within_its_limit() {
    let data = Data::photos().unwrap();
    let folder = data.scratch.path().join("index");
    let limit = 100 * 4096;
    let bytes = limit.to_string();
    let halves = ["1/2", "2/2"].map(|part| start(&data.photos, &folder, &["--partition", part, "--cache-ssd", &bytes]));
    let ended = halves.map(|mut half| {
        while half.try_wait().unwrap().is_none() {
            assert!(disk_now(&folder) <= limit);
        }
        half.wait().unwrap().success()
    });
    // One that came when there was no room left has done nothing, and says so.
    assert!(ended.contains(&true));
    let report = index(&data.photos, &folder, &["--cache-ssd", &bytes]);
    sums_up(&report, files(&data.photos).len() as u64);
    assert!(count(&report, "already_there") > 10 && report["not_kept"]["limit"].as_u64().unwrap() > 0, "{report}");
    assert!(report["stopped"].is_null(), "{report}");
    assert!(disk(&folder) <= limit && count(&report, "disk_bytes") == disk(&folder), "{report}");

    let full =
        run("storage-server", arguments(&data.photos, &data.scratch.path().join("none"), &["--cache-ssd", "1KiB"]));
    let full = full.unwrap();
    assert_eq!(full.code, Some(1));
    assert!(
        full.stdout.is_empty() && full.error().unwrap()["error"].to_string().contains("--cache-ssd"),
        "{}",
        full.stderr
    );
}

/// As [`disk`], while files come and go: one that gets its name just now is seen under two, and is one.
fn disk_now(index: &Path) -> u64 {
    let frames = files(index).into_iter().filter(|file| !file.ends_with("usage"));
    let found = frames.filter_map(|file| file.metadata().ok());
    let by_inode: BTreeMap<u64, u64> = found.map(|data| (data.ino(), data.len())).collect();
    by_inode.values().map(|length| length.next_multiple_of(4096)).sum()
}

#[test]
fn a_broken_frame_is_made_again_and_what_is_served_stays_the_same() {
    let data = Data::photos().unwrap();
    let folder = data.scratch.path().join("index");
    let serve = |options: ServerOptions, cut: &str| -> BTreeMap<u64, Array> {
        let (server, out) = (options.start().unwrap(), TempDir::new().unwrap());
        let further = ["--recipe", "imagenet-train", "--cut", cut, "--seed", "3", "--indices", "0-99"];
        fetch(&[server.address()], out.path(), &further).unwrap().arrays
    };
    let expected = serve(ServerOptions::new(&data.photos).arg("--no-cache"), "cropped");
    index(&data.photos, &folder, &[]);
    let made = frames(&folder);
    let damage = || {
        for (at, (name, frame)) in made.iter().enumerate() {
            let mut frame = frame.clone();
            let place = at * 7919 % frame.len();
            match at % 3 {
                0 => frame[place] ^= 1 << (at % 8),
                1 => frame.truncate(place),
                _ => frame[place..].fill(0xa5),
            }
            std::fs::write(folder.join(name), frame).unwrap();
        }
    };
    for cut in ["jpeg-crop", "encoded", "cropped", "normalized"] {
        damage();
        let served = serve(ServerOptions::new(&data.photos).arg("--cache-dir").arg(&folder), cut);
        assert!(served == expected, "other bits were served at {cut}");
        let whole = frames(&folder).into_iter().filter(|(name, frame)| made.get(name) == Some(frame)).count();
        // Only who asks for crops of bytes has photos re-written.
        assert_eq!(whole >= 90, cut == "jpeg-crop", "{whole} frames are as they were, after {cut}");
    }
    damage();
    let report = index(&data.photos, &folder, &[]);
    assert_eq!(count(&report, "rewritten"), made.len() as u64, "{report}");
    assert!(frames(&folder) == made, "another index than before");
}

#[test]
fn the_index_lies_in_the_state_folder_unless_a_setting_names_another_place() {
    let data = Data::photos().unwrap();
    let at = |name: &str| data.scratch.path().join(name).display().to_string();
    let (photos, kept, apart) = (data.photos.display().to_string(), at("state"), at("apart"));
    let base = ["index", "--data", &photos, "--json", "--log", "warn", "--state", &kept];
    let index = |further: &[&str]| {
        let arguments = base.iter().chain(further).copied();
        run("storage-server", arguments).unwrap().success().unwrap().json().unwrap()
    };
    let first = index(&[]);
    assert!(count(&first, "rewritten") > 0, "{first}");
    assert_eq!(files(Path::new(&kept)).len(), files(&Path::new(&kept).join("cache")).len());
    assert_eq!(count(&index(&[]), "already_there"), count(&first, "rewritten"));
    let other = index(&["--cache-dir", &apart]);
    assert_eq!(count(&other, "rewritten"), count(&first, "rewritten"), "{other}");
    assert!(frames(Path::new(&apart)) == frames(&Path::new(&kept).join("cache")));
}

#[test]
fn an_index_within_the_dataset_is_refused_before_anything_is_written() {
    let data = Data::photos().unwrap();
    let before = state(&data.photos);
    for command in ["index", "serve"] {
        let within = data.photos.join("index").display().to_string();
        let photos = data.photos.display().to_string();
        let mut arguments = vec![command, "--data", &photos, "--cache-dir", &within];
        arguments.extend(if command == "serve" {
            &["--dataset", "photos", "--listen", "127.0.0.1:0"][..]
        } else {
            &[]
        });
        let refused = run("storage-server", arguments).unwrap();
        assert_eq!(refused.code, Some(1));
        assert!(
            refused.stderr.contains("--cache-dir") && refused.stderr.contains("never written"),
            "{}",
            refused.stderr
        );
    }
    assert_eq!(state(&data.photos), before);
}
