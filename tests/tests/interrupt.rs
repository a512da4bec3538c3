//! Ctrl-C ends a tool soon, and so does a terminal that is closed, with the code that shells expect, and leaves nothing
//! half-written.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]
#![expect(clippy::disallowed_methods, reason = "the interrupt has to come at some moment")]

use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use headwater_tests::{Data, Server, ServerOptions, program, run};
use serde_json::Value;

/// Far over the 2 seconds that are promised: this is no timed test.
const SOON: Duration = Duration::from_secs(20);

fn interrupted(name: &str, arguments: &[&str]) -> ExitStatus {
    let mut child =
        Command::new(program(name)).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(400));
    interrupt(&child);
    let asked = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if asked.elapsed() > SOON {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A server, to be stopped where it is not to answer.
fn serving(data: &Data) -> Server {
    let options = ServerOptions::new(&data.photos).arg("--max-batch").arg("1");
    options.model("model", &data.model, &data.recipe).start().unwrap()
}

#[test]
fn tools_that_wait_for_a_silent_server_can_be_interrupted() {
    let data = Data::photos().unwrap();
    let server = serving(&data);
    server.signal("STOP").unwrap();
    let (address, out) = (server.address(), data.scratch.path().join("out"));
    let out = out.to_str().unwrap();
    let dataset = ["--servers", &address, "--dataset", "photos"];
    let extract = [&["extract"], &dataset[..], &["--model", "model", "--json", "--out", out]].concat();
    assert_eq!(interrupted("tuner", &extract).code(), Some(130));
    let head = data.scratch.path().join("head.onnx");
    let tune =
        [&["fine-tune"], &dataset[..], &["--model", "model", "--json", "--out", head.to_str().unwrap()]].concat();
    assert_eq!(interrupted("tuner", &tune).code(), Some(130));
    assert!(!head.exists());
    let model = data.model.to_str().unwrap();
    let planned = [&extract[..], &["--plan", "auto", "--extractor", model]].concat();
    assert_eq!(interrupted("tuner", &planned).code(), Some(130));
    let fetch = [&["fetch"], &dataset[..], &["--recipe", "imagenet-train", "--cut", "cropped", "--out", out]].concat();
    assert_eq!(interrupted("profiler", &fetch).code(), Some(130));
}

#[test]
fn a_tuner_that_plans_and_infers_can_be_interrupted() {
    let data = Data::photos().unwrap();
    let server = serving(&data);
    let (address, out, model) = (server.address(), data.scratch.path().join("out"), data.model.to_str().unwrap());
    let extract = ["extract", "--servers", &address, "--dataset", "photos", "--model", "model", "--json"];
    // So slow that it is interrupted long before the end.
    let planned = ["--plan", "auto", "--extractor", model, "--limit-bandwidth", "500kbps", "--out"];
    let arguments = [&extract[..], &planned, &[out.to_str().unwrap()]].concat();
    assert_eq!(interrupted("tuner", &arguments).code(), Some(130));
}

fn interrupt(child: &Child) {
    Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap();
}

/// The program after an interrupt that came so late.
fn interrupted_after(name: &str, arguments: &[&str], delay: Duration) -> Output {
    let child =
        Command::new(program(name)).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(delay);
    interrupt(&child);
    child.wait_with_output().unwrap()
}

/// Interrupted ever later, until something had come and not all: gives standard error and the summary.
fn in_the_middle(name: &str, arguments: &[&str], count: &str) -> Option<(String, Value)> {
    for delay in [1, 2, 4, 8].map(Duration::from_secs) {
        let output = interrupted_after(name, arguments, delay);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(130), "{stderr}");
        let line = output.stdout.split(|byte| *byte == b'\n').next().unwrap();
        if let Ok(summary) = serde_json::from_slice::<Value>(line)
            && summary[count].as_u64().is_some_and(|count| count > 0)
        {
            return Some((stderr, summary));
        }
    }
    None
}

#[test]
fn what_was_extracted_before_an_interrupt_is_kept_and_the_next_start_fetches_only_the_rest() {
    let data = Data::photos().unwrap();
    let server = serving(&data);
    let (address, out) = (server.address(), data.scratch.path().join("out"));
    let out = out.to_str().unwrap();
    let extract = ["extract", "--servers", &address, "--dataset", "photos", "--model", "model", "--json", "--out", out];
    // All samples fit one part: without a part that says what it lacks, none would be written before the end. So slow
    // that this takes half a minute.
    let slowly = [&extract[..], &["--limit-bandwidth", "100kbps"]].concat();
    let (stderr, stopped) = in_the_middle("tuner", &slowly, "images").unwrap();
    let (kept, missing) = (stopped["images"].as_u64().unwrap(), stopped["missing"].as_u64().unwrap());
    assert!(missing > 0, "{stopped}");
    let words = format!("{kept} of {} samples are kept in {out}: run the same command again", kept + missing);
    assert!(stderr.contains(&words), "{words:?} is not in {stderr}");

    let head = data.scratch.path().join("head.onnx");
    let tune = run("tuner", ["fine-tune", "--features", out, "--out", head.to_str().unwrap()]).unwrap();
    assert_eq!(tune.code, Some(1));
    assert!(tune.stderr.contains("lacks sample"), "{}", tune.stderr);

    let summary = run("tuner", extract).unwrap().success().unwrap().json().unwrap();
    assert_eq!(summary["resumed"].as_u64(), Some(kept), "{summary}");
    assert_eq!(summary["fetched"].as_u64(), Some(missing), "{summary}");
    assert_eq!((summary["images"].as_u64(), &summary["missing"]), (Some(kept + missing), &0.into()));
    let whole = data.scratch.path().join("whole");
    let fresh = [&extract[..9], &[whole.to_str().unwrap()]].concat();
    run("tuner", fresh).unwrap().success().unwrap();
    let part = |folder: &str| std::fs::read(std::path::Path::new(folder).join("part-0000000000.parquet")).unwrap();
    assert!(part(out) == part(whole.to_str().unwrap()), "another part than of an extraction that was not interrupted");
}

/// Runs a program in a terminal, closes that once it has drawn, and prints with what it ended.
const CLOSED_TERMINAL: &str = r"
import os, pty, sys, time
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
while b'/s ' not in os.read(terminal, 4096):
    pass
time.sleep(float(os.environ['OPEN_FOR']))
os.close(terminal)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
";

#[test]
fn a_closed_terminal_keeps_what_has_come_though_no_bar_can_be_drawn() {
    let Some(python) = headwater_testdata::python() else {
        println!("no Python: nothing that opens a terminal");
        return;
    };
    let data = Data::photos().unwrap();
    let server = serving(&data);
    let (address, out) = (server.address(), data.scratch.path().join("out"));
    let extract = ["extract", "--servers", &address, "--dataset", "photos", "--model", "model", "--out"];
    let closed = |open_for: &str| {
        let mut terminal = Command::new(&python);
        terminal.args(["-c", CLOSED_TERMINAL]).arg(program("tuner")).args(extract).arg(&out);
        terminal.args(["--limit-bandwidth", "100kbps"]).env("OPEN_FOR", open_for);
        let output = terminal.stdin(Stdio::null()).output().unwrap();
        assert_eq!(
            String::from_utf8_lossy(&output.stdout).trim(),
            "129",
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        out.join("part-0000000000.parquet").exists()
    };
    assert!(["1", "2", "4", "8"].into_iter().any(closed), "nothing is kept");
    let arguments = extract.iter().map(std::ffi::OsStr::new).chain([out.as_os_str(), "--json".as_ref()]);
    let summary = run("tuner", arguments).unwrap().success().unwrap().json().unwrap();
    assert!(summary["resumed"].as_u64().unwrap() > 0, "{summary}");
    assert_eq!(summary["missing"], 0, "{summary}");
}

#[test]
fn an_interrupted_fine_tuning_says_what_is_lost_and_leaves_nothing() {
    let data = Data::photos().unwrap();
    let server = serving(&data);
    let (address, head) = (server.address(), data.scratch.path().join("head.onnx"));
    let tune = ["fine-tune", "--servers", &address, "--dataset", "photos", "--model", "model"];
    let slowly = ["--limit-bandwidth", "100kbps", "--out", head.to_str().unwrap()];
    let output = interrupted_after("tuner", &[&tune[..], &slowly].concat(), Duration::from_secs(2));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("no head was written"), "{stderr}");
    let left = std::fs::read_dir(data.scratch.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(left.into_iter().all(|name| !name.to_string_lossy().contains("head")));
}
