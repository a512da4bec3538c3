//! A log that cannot be written fails no call and no process; a result that cannot be printed is an error.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that panics has said what it found")]

use std::fs::{File, OpenOptions};
use std::io::PipeReader;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use headwater_tests::{Data, eventually, fetch_stored, get, program};

/// Where a log goes that nobody gets.
enum Nowhere {
    /// A disk without room.
    Full,
    /// A pipe without a reader.
    Left,
    /// A pipe with one who does not read.
    Asleep,
}

/// A process that is killed when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    fn code(&mut self) -> Option<i32> {
        eventually("the end of the process", || self.0.try_wait().unwrap()).code()
    }
}

impl Nowhere {
    /// The program's standard error, and what has to be kept for it to stay so.
    fn open(&self) -> (Stdio, Option<PipeReader>) {
        let (reader, writer) = std::io::pipe().unwrap();
        match self {
            Self::Full => (full().into(), None),
            Self::Left => (writer.into(), None),
            Self::Asleep => (writer.into(), Some(reader)),
        }
    }
}

/// Opened as `2>>/dev/full` does.
fn full() -> File {
    OpenOptions::new().append(true).open("/dev/full").unwrap()
}

fn port(file: &Path) -> String {
    let port = eventually("a port", || std::fs::read_to_string(file).ok().filter(|text| text.ends_with('\n')));
    format!("127.0.0.1:{}", port.trim())
}

fn lost(metrics: &str) -> u64 {
    let page = get(metrics, "/metrics").unwrap();
    let value = page.lines().find_map(|line| line.strip_prefix("headwater_log_lines_lost_total "));
    value.unwrap_or_else(|| panic!("no count in {page}")).parse().unwrap()
}

/// Serves, is fetched from by programs whose logs go nowhere either, and is stopped.
fn serve_and_fetch(nowhere: &Nowhere) {
    let data = Data::photos().unwrap();
    let at = |name: &str| data.scratch.path().join(name);
    let (stderr, _reader) = nowhere.open();
    let mut server = Command::new(program("storage-server"));
    server.args(["serve", "--dataset", "photos", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"]);
    server.args(["--no-cache", "--data"]).arg(&data.photos).arg("--port-file").arg(at("port"));
    server.arg("--metrics-port-file").arg(at("metrics")).args(["--max-batch", "4"]);
    server.arg("--model").arg(format!("model={},recipe={}", data.model.display(), data.recipe));
    // So much that a pipe is full soon.
    server.env("HEADWATER_LOG", "trace").stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr);
    let mut server = Running(server.spawn().unwrap());
    let (address, metrics) = (port(&at("port")), port(&at("metrics")));

    let (stderr, _other) = nowhere.open();
    let mut fetch = Command::new(program("profiler"));
    fetch.args(fetch_stored(&address));
    fetch.args(["--json", "--out"]).arg(at("out")).env("HEADWATER_LOG", "trace");
    let mut fetch = Running(fetch.stdout(File::create(at("summary")).unwrap()).stderr(stderr).spawn().unwrap());
    assert_eq!(fetch.code(), Some(0));
    let summary: serde_json::Value = serde_json::from_slice(&std::fs::read(at("summary")).unwrap()).unwrap();
    assert!(summary.is_object(), "{summary}");

    let (stderr, _other) = nowhere.open();
    let mut extract = Command::new(program("tuner"));
    extract.args(["extract", "--servers", &address, "--dataset", "photos", "--model", "model", "--out"]).arg(at("f"));
    extract.env("HEADWATER_LOG", "trace").stdout(Stdio::null()).stderr(stderr);
    assert_eq!(Running(extract.spawn().unwrap()).code(), Some(0));

    assert!(lost(&metrics) > 0, "nothing was lost, which is not what is tested here");
    Command::new("kill").args(["-s", "TERM", &server.0.id().to_string()]).status().unwrap();
    assert_eq!(server.code(), Some(0), "it did not drain");
}

#[test]
fn a_log_on_a_full_disk_disturbs_nobody() {
    serve_and_fetch(&Nowhere::Full);
}

#[test]
fn a_log_whose_reader_has_left_disturbs_nobody() {
    serve_and_fetch(&Nowhere::Left);
}

#[test]
fn a_log_whose_reader_does_not_read_disturbs_nobody() {
    serve_and_fetch(&Nowhere::Asleep);
}

#[test]
fn a_result_that_cannot_be_printed_is_an_error_in_words() {
    let folder = tempfile::TempDir::new().unwrap();
    let data = folder.path().display().to_string();
    let check = ["serve", "--data", &data, "--dataset", "d", "--listen", "127.0.0.1:0", "--no-cache", "--check-config"];
    let commands: [(&str, &[&str]); 7] = [
        ("profiler", &["recipe"]),
        ("profiler", &["recipe", "imagenet-eval", "--json"]),
        ("profiler", &["--help"]),
        ("tuner", &["--version"]),
        ("tuner", &["completions", "bash"]),
        ("storage-server", &["man"]),
        ("storage-server", &check),
    ];
    for (name, arguments) in commands {
        let output = Command::new(program(name)).args(arguments).stdout(full()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{name} {arguments:?}: {said}");
        assert!(said.contains("o space left on device"), "{name} {arguments:?}: {said}");
        // Nor is it a panic where that cannot be said either.
        let status = Command::new(program(name)).args(arguments).stdout(full()).stderr(full()).status().unwrap();
        assert_eq!(status.code(), Some(1), "{name} {arguments:?}");
    }
}
