//! What cannot be written is found out before any work is done; what cannot be written at the end is kept elsewhere.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use std::fs;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use headwater_tests::{Data, Run, Server, ServerOptions, program, run};
use headwater_types::Digest;
use serde_json::Value;
use tempfile::TempDir;

/// Nobody listens there: whoever asks says so, and not what is wrong with the output.
const NOBODY: &str = "127.0.0.1:1";

fn refused(name: &str, arguments: &[&str], words: &[&str]) {
    let run = run(name, arguments).unwrap();
    assert!(matches!(run.code, Some(1 | 2)), "{name} {arguments:?}: {:?}", run.code);
    for word in words {
        assert!(run.stderr.contains(word), "{name} {arguments:?}: {word:?} is not in {}", run.stderr);
    }
}

#[test]
fn what_cannot_be_written_is_refused_before_any_server_is_asked() {
    let dir = TempDir::new().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    fs::write(at("file"), "x").unwrap();
    fs::create_dir(at("folder")).unwrap();
    let (file, folder, none, new) = (&at("file"), &at("folder"), &at("none/x"), &at("new"));
    let missing = format!("there is no folder {}", at("none"));
    let servers = ["--servers", NOBODY, "--dataset", "photos", "--model", "model", "--out"];
    let extract = |out| [&["extract"], &servers[..], &[out]].concat();
    let tune = |out, more: &[&'static str]| [&["fine-tune"], &servers[..], &[out], more].concat();
    refused("tuner", &extract(file), &["--out", "is a file: give it a folder"]);
    refused("tuner", &tune(folder, &[]), &["--out", "is a folder: give it a file"]);
    refused("tuner", &tune(none, &[]), &["--out", &missing]);
    let joined = |out: &'static str, joined: &'static str| tune(out, &["--join", "/dev/null", "--joined-out", joined]);
    refused("tuner", &joined("/dev/null", "/none/x"), &["--joined-out", "there is no folder /none"]);
    let same = [&tune(new, &["--join", "/dev/null", "--joined-out"])[..], &[new]].concat();
    refused("tuner", &same, &["--joined-out and --out are the same file"]);
    let input = [&tune(new, &["--joined-out", "/dev/null", "--join"])[..], &[new]].concat();
    refused("tuner", &input, &["--out", "is the file that --join reads"]);
    let fetch = ["fetch", "--servers", NOBODY, "--dataset", "photos", "--recipe", "imagenet-eval", "--cut", "cropped"];
    refused("profiler", &[&fetch[..], &["--out", file]].concat(), &["--out", "is a file: give it a folder"]);
    let dataset = ["dataset", "--servers", NOBODY, "--dataset", "photos", "--recipe", "imagenet-eval", "--out", none];
    refused("profiler", &dataset, &["--out", &missing]);
    for command in ["plan", "report"] {
        refused("profiler", &[command, "--profile", file, "--out", none], &["--out", &missing]);
        refused("profiler", &[command, "--profile", file, "--out", file], &["is the file that --profile reads"]);
    }
    let import = ["import", "sophon", "--sizes", file, "--times", file, "--out", none];
    refused("profiler", &import, &["--out", &missing]);
    let simulate = ["simulate", "cache", "--trace", file, "--policy", "lru", "--memory", "1", "--curve"];
    refused("profiler", &[&simulate[..], &[none]].concat(), &["--curve", &missing]);
    refused("profiler", &[&simulate[..], &[file]].concat(), &["is the file that --trace reads"]);
    let serve = ["serve", "--data", folder, "--dataset", "photos", "--listen", "127.0.0.1:0", "--port-file", none];
    refused("storage-server", &serve, &["--port-file", &missing]);
    let mut left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["file", "folder"], "nothing is left behind");
}

/// A server, and a folder of features of its photos.
struct Extracted {
    data: Data,
    server: Server,
    features: String,
}

impl Extracted {
    fn new() -> Self {
        let data = Data::photos().unwrap();
        let server = ServerOptions::new(&data.photos).model("model", &data.model, &data.recipe).start().unwrap();
        let features = data.scratch.path().join("features").display().to_string();
        let extracted = Self { data, server, features };
        extracted.extract(&extracted.features, &[]).success().unwrap();
        extracted
    }

    fn extract(&self, out: &str, more: &[&str]) -> Run {
        let address = self.server.address();
        let extract =
            ["extract", "--servers", &address, "--dataset", "photos", "--model", "model", "--json", "--out", out];
        run("tuner", extract.iter().chain(more)).unwrap()
    }

    /// A fine-tuning whose folder for temporary files is `kept`.
    fn tune(&self, more: &[&str]) -> (Run, PathBuf) {
        let kept = self.data.scratch.path().join("kept");
        fs::create_dir_all(&kept).unwrap();
        let output = Command::new(program("tuner"))
            .args(["fine-tune", "--epochs", "3", "--json", "--features", &self.features])
            .args(more)
            .env("TMPDIR", &kept)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (Run { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }, kept)
    }
}

fn summary(run: &Run) -> Value {
    serde_json::from_str(run.stdout.lines().next().unwrap_or_default()).unwrap()
}

/// Mounts a small file system in memory; `None`, and a word about it, where that is not permitted.
struct Small(PathBuf);

impl Small {
    fn mount(folder: &Path, bytes: u64) -> Option<Self> {
        fs::create_dir(folder).unwrap();
        let options = format!("size={bytes}");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder).output();
        if !mounted.is_ok_and(|output| output.status.success()) {
            println!("skipped: a small file system cannot be mounted here");
            return None;
        }
        Some(Self(folder.to_owned()))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn work_is_kept_where_a_disk_turns_out_to_be_full_at_the_end() {
    let full = fs::metadata("/dev/full").is_ok_and(|full| full.file_type().is_char_device());
    assert!(full, "/dev/full is no device here");
    let extracted = Extracted::new();
    let (model, head) = (extracted.data.model.display().to_string(), extracted.data.scratch.path().join("head.onnx"));

    // The head cannot be put into its place: it is kept, and whoever asks is told where.
    let (run, kept) = extracted.tune(&["--out", "/dev/full"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let said = summary(&run);
    let path = Path::new(said["head"].as_str().unwrap());
    assert!(path.starts_with(&kept), "{said}");
    assert_eq!(said["head_digest"], Digest::of(&fs::read(path).unwrap()).to_string());
    for words in ["--out /dev/full: the file system is full: ", " bytes are needed", path.to_str().unwrap()] {
        assert!(run.stderr.contains(words), "{words:?} is not in {}", run.stderr);
    }

    // The joined model cannot: the head is where it is to be.
    let joined = ["--join", &model, "--joined-out", "/dev/full", "--out", head.to_str().unwrap()];
    let (run, _) = extracted.tune(&joined);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("--joined-out /dev/full: the file system is full"), "{}", run.stderr);
    let said = summary(&run);
    assert_eq!(said["head_digest"], Digest::of(&fs::read(&head).unwrap()).to_string());
    assert_eq!(said["joined_digest"], Digest::of(&fs::read(said["joined"].as_str().unwrap()).unwrap()).to_string());

    // A part that grows past what is allowed: what is whole stays, and the extraction goes on from there.
    let out = extracted.data.scratch.path().join("limited").display().to_string();
    let address = extracted.server.address();
    let script = "ulimit -f 8; exec \"$@\"";
    let tuner = program("tuner").display().to_string();
    let arguments =
        ["-c", script, "sh", &tuner, "extract", "--servers", &address, "--dataset", "photos", "--model", "model"];
    let output = Command::new("sh").args(arguments).args(["--json", "--out", &out]).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    for words in ["--out", "longer than is allowed (see ulimit -f)", " bytes are needed", "run the same command again"]
    {
        assert!(stderr.contains(words), "{words:?} is not in {stderr}");
    }
    let went_on = extracted.extract(&out, &[]).success().unwrap().json().unwrap();
    assert_eq!(went_on["missing"], 0, "{went_on}");
}

#[test]
fn what_will_not_fit_is_refused_at_the_start_with_the_bytes_that_are_needed_and_free() {
    let extracted = Extracted::new();
    let folder = extracted.data.scratch.path().join("small");
    let Some(small) = Small::mount(&folder, 32 << 10) else { return };
    let refused = extracted.extract(small.0.join("features").to_str().unwrap(), &[]);
    assert_eq!((refused.code, refused.stdout.contains("images")), (Some(1), false), "{}", refused.stderr);
    let (run, _) =
        extracted.tune(&["--head", "mlp", "--hidden", "2000", "--out", small.0.join("h.onnx").to_str().unwrap()]);
    assert_eq!((run.code, run.stdout.contains("images")), (Some(1), false), "{}", run.stderr);
    for said in [&refused.stderr, &run.stderr] {
        for words in ["--out", "the file system is full", "bytes are needed and", "are free"] {
            assert!(said.contains(words), "{words:?} is not in {said}");
        }
    }
    assert_eq!(fs::read_dir(&small.0).unwrap().count(), 0, "nothing is left behind");

    let options = ["-o", "remount,ro", small.0.to_str().unwrap()];
    assert!(Command::new("mount").args(options).status().unwrap().success());
    let (run, _) = extracted.tune(&["--out", small.0.join("h.onnx").to_str().unwrap()]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("cannot be written: the file system is read-only"), "{}", run.stderr);
}
