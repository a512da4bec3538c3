//! Ctrl-C ends a tool soon, with the code that shells expect, and leaves nothing half-written.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]
#![expect(clippy::disallowed_methods, reason = "the interrupt has to come at some moment")]

use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use headwater_tests::{Data, Server, ServerOptions, program};

/// Far over the 2 seconds that are promised: this is no timed test.
const SOON: Duration = Duration::from_secs(20);

fn interrupted(name: &str, arguments: &[&str]) -> ExitStatus {
    let mut child =
        Command::new(program(name)).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(400));
    Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap();
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
