//! Servers train one head on their own features, in rounds: the same bits for a seed, whoever is killed, stopped or
//! comes late.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]
#![expect(clippy::disallowed_methods, reason = "a kill, a stop and a return come at some moment of a training")]

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use headwater_testdata::{Extractor, PhotoSet};
use headwater_tests::{Run, Server, ServerOptions, program, run};
use serde_json::Value;
use tempfile::TempDir;

/// Photos of three classes, and an extractor.
struct Lab {
    folder: TempDir,
}

// === impl Lab ===

impl Lab {
    fn new() -> Self {
        let lab = Self { folder: TempDir::new().unwrap() };
        PhotoSet { classes: 3, per_class: 40, ..PhotoSet::default() }.write(&lab.at("photos")).unwrap();
        std::fs::write(lab.at("recipe.toml"), Extractor::RECIPE).unwrap();
        std::fs::write(lab.at("one.onnx"), Extractor::onnx(1)).unwrap();
        lab
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.at(name).display().to_string()
    }

    fn options(&self, part: &str, further: &[&str]) -> ServerOptions {
        let options = ServerOptions::new(&self.at("photos")).args(["--partition", part]);
        let options = options.args(["--max-batch", "4", "--inference-workers", "1", "--cpu-workers", "1"]);
        options.args(further.iter().copied()).model("m", &self.at("one.onnx"), &self.text("recipe.toml"))
    }

    fn server(&self, part: &str, further: &[&str]) -> Server {
        self.options(part, further).start().unwrap()
    }

    fn arguments(&self, servers: &[&Server], out: &str, further: &[&str]) -> Vec<String> {
        let servers = servers.iter().map(|server| server.address()).collect::<Vec<_>>().join(",");
        let fixed = ["fine-tune", "--dataset", "photos", "--model", "m", "--seed", "3", "--json", "--servers"];
        let fixed = fixed.into_iter().map(str::to_owned).chain([servers, "--out".to_owned(), self.text(out)]);
        fixed.chain(further.iter().map(|argument| (*argument).to_owned())).collect()
    }

    fn train(&self, servers: &[&Server], out: &str, further: &[&str]) -> Run {
        run("tuner", self.arguments(servers, out, further)).unwrap()
    }

    fn trained(&self, servers: &[&Server], out: &str, further: &[&str]) -> Value {
        self.train(servers, out, further).success().unwrap().json().unwrap()
    }

    /// A training that goes on beside the test.
    fn begin(&self, servers: &[&Server], out: &str, further: &[&str]) -> Child {
        let mut command = Command::new(program("tuner"));
        command.args(self.arguments(servers, out, further)).env("HEADWATER_LOG", "error");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// The lines of a log that are whole.
    fn log(&self, name: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.at(name)).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Waits until a log has a line.
    fn wait_for(&self, name: &str, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let begin = Instant::now();
        loop {
            if let Some(line) = self.log(name).into_iter().find(|line| is_it(line)) {
                return line;
            }
            assert!(begin.elapsed() < Duration::from_secs(90), "no {what}: {:#?}", self.log(name).last());
            sleep(Duration::from_millis(20));
        }
    }
}

fn round(line: &Value) -> Option<u64> {
    line["round"].as_u64().filter(|_| line["event"] == "round")
}

/// The workers that counted in a round.
fn counted(line: &Value) -> Vec<u64> {
    let workers = line["workers"].as_array().unwrap().iter();
    workers.filter(|worker| worker["outcome"] == "counted").map(|worker| worker["worker"].as_u64().unwrap()).collect()
}

#[test]
fn a_seed_gives_one_head_and_central_is_local() {
    let lab = Lab::new();
    let (one, two) = (lab.server("1/2", &[]), lab.server("2/2", &[]));
    let sync = |out: &str| lab.trained(&[&one, &two], out, &["--mode", "sync", "--rounds", "30"]);
    let (first, again) = (sync("a.onnx"), sync("b.onnx"));
    assert_eq!(first["head_digest"], again["head_digest"], "{first}");
    assert_eq!(first["version"], 30);
    assert!(first["validation_top1"].as_f64().unwrap() > 0.7, "{first}");
    let whole = lab.server("1/1", &[]);
    let alone = |mode: &str, out: &str| lab.trained(&[&whole], out, &["--mode", mode, "--rounds", "6"]);
    let (local, twice, central) = (alone("local", "c.onnx"), alone("local", "d.onnx"), alone("central", "e.onnx"));
    assert_eq!(local["head_digest"], twice["head_digest"], "{local}");
    let loss = |summary: &Value| summary["validation_loss"].as_f64().unwrap();
    assert!((loss(&local) - loss(&central)).abs() < 1e-5, "{local} {central}");
    // On one machine not a bit differs.
    assert_eq!(local["head_digest"], central["head_digest"]);
}

#[test]
fn every_mode_trains_a_head_that_knows_the_classes() {
    let lab = Lab::new();
    let (one, two) = (lab.server("1/2", &[]), lab.server("2/2", &["--simulate-slowdown", "4x"]));
    let modes: [&[&str]; 5] = [
        &["--mode", "esync", "--rounds", "12"],
        &["--mode", "esync", "--rounds", "12", "--overlap", "--average", "uniform"],
        &["--mode", "esync", "--rounds", "12", "--sync-rule", "paper", "--head", "mlp", "--hidden", "16"],
        &["--mode", "async", "--rounds", "30", "--delay-compensation", "0.04"],
        &["--mode", "sync", "--rounds", "30", "--overlap"],
    ];
    for (number, mode) in modes.into_iter().enumerate() {
        let log = format!("{number}.jsonl");
        let summary = lab.trained(&[&one, &two], "head.onnx", &[mode, &["--log", &lab.text(&log)]].concat());
        assert!(summary["validation_top1"].as_f64().unwrap() > 0.7, "{mode:?}: {summary}");
        assert_eq!(summary["workers"][1]["slowdown"], 4.0, "{summary}");
        let lines = lab.log(&log);
        assert_eq!((&lines[0]["event"], &lines[0]["workers"][1]["slowdown"]), (&"run".into(), &4.0.into()));
        assert_eq!(lines.last().unwrap()["event"], "end");
        let rounds = lines.iter().filter_map(round).collect::<Vec<_>>();
        assert!(rounds.len() as u64 >= summary["rounds"].as_u64().unwrap(), "{mode:?}: {rounds:?}");
        assert!(!lab.at("head.onnx.checkpoint").exists(), "the head is saved, and there is nothing to go on with");
    }
}

#[test]
fn a_worker_that_is_killed_or_stopped_costs_its_share_and_counts_again_when_it_is_back() {
    let lab = Lab::new();
    let slow = ["--simulate-slowdown", "400x"];
    let one = lab.server("1/3", &slow);
    let stopped = lab.server("2/3", &slow);
    let killed = lab.server("3/3", &slow);
    let log = lab.text("run.jsonl");
    let servers = [&one, &stopped, &killed];
    let further = ["--mode", "esync", "--rounds", "100000", "--log", &log];
    let mut tuner = lab.begin(&servers, "head.onnx", &further);
    let all = |line: &Value| round(line).is_some() && counted(line).len() == 3;
    lab.wait_for("run.jsonl", "round of three", all);

    stopped.signal("STOP").unwrap();
    let begin = Instant::now();
    let of = |worker: u64, state: &'static str| {
        move |line: &Value| line["event"] == "worker" && line["worker"] == worker && line["state"] == state
    };
    let lost = lab.wait_for("run.jsonl", "word of the stopped worker", of(1, "lost"));
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}: {lost}", begin.elapsed());
    let rounds = lab.log("run.jsonl").iter().filter_map(round).max().unwrap();
    lab.wait_for("run.jsonl", "round of the others", |line| {
        round(line).is_some_and(|number| number > rounds) && counted(line) == [0, 2]
    });
    stopped.signal("CONT").unwrap();
    let back = lab.wait_for("run.jsonl", "return of the stopped worker", of(1, "back"));
    let at = back["at_seconds"].as_f64().unwrap();
    let again = |line: &Value| all(line) && line["begin_seconds"].as_f64().unwrap() >= at;
    lab.wait_for("run.jsonl", "round with the one that is back", again);

    let _started_again = killed.restart().unwrap();
    lab.wait_for("run.jsonl", "word of the killed worker", of(2, "lost"));
    let back = lab.wait_for("run.jsonl", "return of the killed worker", of(2, "back"));
    let at = back["at_seconds"].as_f64().unwrap();
    let again = |line: &Value| all(line) && line["begin_seconds"].as_f64().unwrap() >= at;
    lab.wait_for("run.jsonl", "round with the one that was started again", again);
    tuner.kill().unwrap();
    tuner.wait().unwrap();
}

#[test]
fn a_worker_that_comes_late_joins_and_no_round_waits_for_it() {
    let lab = Lab::new();
    let slow = ["--simulate-slowdown", "100x"];
    let (one, mut late) = (lab.server("1/2", &slow), lab.server("2/2", &slow));
    late.kill().unwrap();
    let log = lab.text("run.jsonl");
    let further = ["--mode", "esync", "--rounds", "100000", "--min-workers", "1", "--log", &log];
    let mut tuner = lab.begin(&[&one, &late], "head.onnx", &further);
    let is_later = |line: &Value| round(line).is_some_and(|round| round > 3) && counted(line) == [0];
    lab.wait_for("run.jsonl", "round of one", is_later);
    let _late = late.restart().unwrap();
    lab.wait_for("run.jsonl", "round of both", |line| round(line).is_some() && counted(line) == [0, 1]);
    tuner.kill().unwrap();
    tuner.wait().unwrap();
    let few = lab.train(&[&one], "few.onnx", &["--mode", "esync", "--rounds", "2", "--from-scratch"]);
    few.success().unwrap();
}

#[test]
fn a_tuner_that_is_killed_goes_on_to_the_same_bits() {
    let lab = Lab::new();
    let slow = ["--simulate-slowdown", "200x"];
    let (one, two) = (lab.server("1/2", &slow), lab.server("2/2", &slow));
    let servers = [&one, &two];
    let further = ["--mode", "sync", "--rounds", "60"];
    let whole = lab.trained(&servers, "whole.onnx", &further);
    let log = lab.text("run.jsonl");
    let further = ["--mode", "sync", "--rounds", "60", "--log", &log];
    for at in [10, 25] {
        let mut tuner = lab.begin(&servers, "head.onnx", &further);
        lab.wait_for("run.jsonl", "round to be killed after", |line| round(line).is_some_and(|round| round >= at));
        tuner.kill().unwrap();
        tuner.wait().unwrap();
    }
    let done = lab.log("run.jsonl").iter().filter_map(round).max().unwrap();
    let resumed = lab.trained(&servers, "head.onnx", &further);
    let from = resumed["resumed_from"].as_u64().unwrap();
    assert!(from + 1 >= done && from >= 24, "{done} rounds were done, and it went on after {from}");
    assert_eq!(resumed["head_digest"], whole["head_digest"], "{resumed}");
    assert_eq!(lab.log("run.jsonl").iter().filter(|line| line["event"] == "run").count(), 3);
}

#[test]
fn a_checkpoint_of_other_settings_and_what_is_none_are_refused() {
    let lab = Lab::new();
    let server = lab.server("1/1", &["--simulate-slowdown", "400x"]);
    let log = lab.text("run.jsonl");
    let further = ["--mode", "sync", "--rounds", "100000", "--log", &log];
    let mut tuner = lab.begin(&[&server], "head.onnx", &further);
    lab.wait_for("run.jsonl", "round", |line| round(line).is_some_and(|round| round > 2));
    tuner.kill().unwrap();
    tuner.wait().unwrap();
    let other = lab.train(&[&server], "head.onnx", &["--mode", "sync", "--rounds", "3", "--local-lr", "0.5"]);
    assert_eq!(other.code, Some(1), "{}", other.stderr);
    let said = &other.stderr;
    assert!(said.contains("--local-lr is 0.01, and not 0.5") && said.contains("--from-scratch"), "{said}");
    let mut bytes = std::fs::read(lab.at("head.onnx.checkpoint")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(lab.at("head.onnx.checkpoint"), bytes).unwrap();
    let broken = lab.train(&[&server], "head.onnx", &["--mode", "sync", "--rounds", "3"]);
    assert!(broken.stderr.contains("no whole checkpoint"), "{}", broken.stderr);
    let anew = ["--mode", "sync", "--rounds", "3", "--from-scratch", "--max-steps", "1"];
    let summary = lab.trained(&[&server], "head.onnx", &anew);
    assert_eq!((&summary["rounds"], &summary["resumed_from"]), (&3.into(), &Value::Null));
}

#[test]
fn what_cannot_be_right_is_refused_with_the_fix() {
    let lab = Lab::new();
    let (one, two) = (lab.server("1/1", &[]), lab.server("1/1", &[]));
    let both = lab.train(&[&one, &two], "head.onnx", &["--mode", "sync"]);
    assert!(both.stderr.contains("serve the same photos") && both.stderr.contains("--partition"), "{}", both.stderr);
    // Each server has a part of its own of what it serves whole.
    let dealt = lab.trained(&[&one, &two], "head.onnx", &["--mode", "sync", "--rounds", "2", "--split", "iid"]);
    let samples = |worker: usize| {
        let worker = &dealt["workers"][worker];
        worker["samples"].as_u64().unwrap() + worker["held_out"].as_u64().unwrap()
    };
    assert_eq!(samples(0) + samples(1), 120, "{dealt}");
    assert!(samples(0) > 30 && samples(1) > 30, "{dealt}");
    let wrong: [(&[&str], &str); 7] = [
        (&["--mode", "local"], "name one in --servers"),
        (&["--split", "iid"], "give --mode too"),
        (&["--mode", "async", "--average", "samples"], "averages nothing"),
        (&["--mode", "sync", "--drift-limit", "0.1"], "is of --mode esync"),
        (&["--mode", "esync", "--min-workers", "3"], "more than the 2 servers"),
        (&["--mode", "esync", "--momentum", "1"], "0 to below 1"),
        (&["--mode", "esync", "--epochs", "3"], "cannot be used with"),
    ];
    for (arguments, words) in wrong {
        let refused = lab.train(&[&one, &two], "head.onnx", arguments);
        assert_eq!(refused.code, Some(2), "{arguments:?}: {}", refused.stderr);
        assert!(refused.stderr.contains(words), "{arguments:?}: {}", refused.stderr);
    }
}
