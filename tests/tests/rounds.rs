//! Servers train one head on their own features, in rounds: the same bits for a seed, whoever is killed, stopped or
//! comes late.

use std::time::{Duration, Instant};

use headwater_tests::{Lab, Reached, counted, round};
use serde_json::Value;

#[test]
fn a_seed_gives_one_head_and_central_is_local() {
    let lab = Lab::new().unwrap();
    let (one, two) = (lab.server("1/2", &[]).unwrap(), lab.server("2/2", &[]).unwrap());
    let sync = |out: &str| lab.trained(&[&one, &two], out, &["--mode", "sync", "--rounds", "30"]).unwrap();
    let (first, again) = (sync("a.onnx"), sync("b.onnx"));
    assert_eq!(first["head_digest"], again["head_digest"], "{first}");
    assert_eq!(first["version"], 30);
    assert!(first["validation_top1"].as_f64().unwrap() > 0.7, "{first}");
    let whole = lab.server("1/1", &[]).unwrap();
    let alone = |mode: &str, out: &str| lab.trained(&[&whole], out, &["--mode", mode, "--rounds", "6"]).unwrap();
    let (local, twice, central) = (alone("local", "c.onnx"), alone("local", "d.onnx"), alone("central", "e.onnx"));
    assert_eq!(local["head_digest"], twice["head_digest"], "{local}");
    let loss = |summary: &Value| summary["validation_loss"].as_f64().unwrap();
    assert!((loss(&local) - loss(&central)).abs() < 1e-5, "{local} {central}");
    // On one machine not a bit differs.
    assert_eq!(local["head_digest"], central["head_digest"]);
}

#[test]
fn every_mode_trains_a_head_that_knows_the_classes() {
    let lab = Lab::new().unwrap();
    let (one, two) = (lab.server("1/2", &[]).unwrap(), lab.server("2/2", &["--simulate-slowdown", "4x"]).unwrap());
    let modes: [&[&str]; 5] = [
        &["--mode", "esync", "--rounds", "12"],
        &["--mode", "esync", "--rounds", "12", "--overlap", "--average", "uniform"],
        &["--mode", "esync", "--rounds", "12", "--sync-rule", "paper", "--head", "mlp", "--hidden", "16"],
        &["--mode", "async", "--rounds", "30", "--delay-compensation", "0.04"],
        &["--mode", "sync", "--rounds", "30", "--overlap"],
    ];
    for (number, mode) in modes.into_iter().enumerate() {
        let log = format!("{number}.jsonl");
        let summary = lab.trained(&[&one, &two], "head.onnx", &[mode, &["--log", &lab.text(&log)]].concat()).unwrap();
        assert!(summary["validation_top1"].as_f64().unwrap() > 0.7, "{mode:?}: {summary}");
        assert_eq!(summary["workers"][1]["slowdown"], 4.0, "{summary}");
        let lines = lab.log(&log);
        assert_eq!((&lines[0]["event"], &lines[0]["workers"][1]["slowdown"]), (&"run".into(), &4.0.into()));
        assert_eq!(lines.last().unwrap()["event"], "end");
        let rounds = lines.iter().filter_map(round).collect::<Vec<_>>();
        assert!(rounds.len() as u64 >= summary["rounds"].as_u64().unwrap(), "{mode:?}: {rounds:?}");
        assert!(!lab.at("head.onnx.checkpoint").exists(), "the head is saved, and there is nothing to go on with");
    }
    let metric = |name: &str| two.metric(name).unwrap().unwrap();
    let (steps, samples) = (metric("headwater_training_steps_total"), metric("headwater_training_samples_total"));
    assert!(steps >= 84.0 && samples >= steps, "{steps} {samples}");
    assert!(metric("headwater_training_compute_seconds_total") > 0.0);
    assert_eq!(metric("headwater_trainings").to_bits(), 0.0_f64.to_bits(), "all have ended");
}

#[test]
fn a_worker_that_is_killed_or_stopped_costs_its_share_and_counts_again_when_it_is_back() {
    let lab = Lab::new().unwrap();
    let slow = ["--simulate-slowdown", "400x"];
    let one = lab.server("1/3", &slow).unwrap();
    let stopped = lab.server("2/3", &slow).unwrap();
    let killed = lab.server("3/3", &slow).unwrap();
    let log = lab.text("run.jsonl");
    let servers: [&dyn Reached; 3] = [&one, &stopped, &killed];
    let further = ["--mode", "esync", "--rounds", "100000", "--log", &log];
    let mut tuner = lab.begin(&servers, "head.onnx", &further).unwrap();
    let all = |line: &Value| round(line).is_some() && counted(line).len() == 3;
    lab.wait_for("run.jsonl", "round of three", all).unwrap();

    stopped.signal("STOP").unwrap();
    let begin = Instant::now();
    let of = |worker: u64, state: &'static str| {
        move |line: &Value| line["event"] == "worker" && line["worker"] == worker && line["state"] == state
    };
    let lost = lab.wait_for("run.jsonl", "word of the stopped worker", of(1, "lost")).unwrap();
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}: {lost}", begin.elapsed());
    let rounds = lab.log("run.jsonl").iter().filter_map(round).max().unwrap();
    lab.wait_for("run.jsonl", "round of the others", |line| {
        round(line).is_some_and(|number| number > rounds) && counted(line) == [0, 2]
    })
    .unwrap();
    stopped.signal("CONT").unwrap();
    let back = lab.wait_for("run.jsonl", "return of the stopped worker", of(1, "back")).unwrap();
    let at = back["at_seconds"].as_f64().unwrap();
    let again = |line: &Value| all(line) && line["begin_seconds"].as_f64().unwrap() >= at;
    lab.wait_for("run.jsonl", "round with the one that is back", again).unwrap();

    let _started_again = killed.restart().unwrap();
    lab.wait_for("run.jsonl", "word of the killed worker", of(2, "lost")).unwrap();
    let back = lab.wait_for("run.jsonl", "return of the killed worker", of(2, "back")).unwrap();
    let at = back["at_seconds"].as_f64().unwrap();
    let again = |line: &Value| all(line) && line["begin_seconds"].as_f64().unwrap() >= at;
    lab.wait_for("run.jsonl", "round with the one that was started again", again).unwrap();
    tuner.kill().unwrap();
    tuner.wait().unwrap();
}

#[test]
fn a_worker_that_comes_late_joins_and_no_round_waits_for_it() {
    let lab = Lab::new().unwrap();
    let slow = ["--simulate-slowdown", "100x"];
    let (one, mut late) = (lab.server("1/2", &slow).unwrap(), lab.server("2/2", &slow).unwrap());
    late.kill().unwrap();
    let log = lab.text("run.jsonl");
    let further = ["--mode", "esync", "--rounds", "100000", "--min-workers", "1", "--log", &log];
    let mut tuner = lab.begin(&[&one, &late], "head.onnx", &further).unwrap();
    let is_later = |line: &Value| round(line).is_some_and(|round| round > 3) && counted(line) == [0];
    lab.wait_for("run.jsonl", "round of one", is_later).unwrap();
    let _late = late.restart().unwrap();
    lab.wait_for("run.jsonl", "round of both", |line| round(line).is_some() && counted(line) == [0, 1]).unwrap();
    tuner.kill().unwrap();
    tuner.wait().unwrap();
    let few = lab.train(&[&one], "few.onnx", &["--mode", "esync", "--rounds", "2", "--from-scratch"]).unwrap();
    few.success().unwrap();
}

#[test]
fn a_tuner_that_is_killed_goes_on_to_the_same_bits() {
    let lab = Lab::new().unwrap();
    let slow = ["--simulate-slowdown", "200x"];
    let (one, two) = (lab.server("1/2", &slow).unwrap(), lab.server("2/2", &slow).unwrap());
    let servers: [&dyn Reached; 2] = [&one, &two];
    let further = ["--mode", "sync", "--rounds", "60"];
    let whole = lab.trained(&servers, "whole.onnx", &further).unwrap();
    let log = lab.text("run.jsonl");
    let further = ["--mode", "sync", "--rounds", "60", "--log", &log];
    for at in [10, 25] {
        let mut tuner = lab.begin(&servers, "head.onnx", &further).unwrap();
        lab.wait_for("run.jsonl", "round to be killed after", |line| round(line).is_some_and(|round| round >= at))
            .unwrap();
        tuner.kill().unwrap();
        tuner.wait().unwrap();
    }
    let done = lab.log("run.jsonl").iter().filter_map(round).max().unwrap();
    let resumed = lab.trained(&servers, "head.onnx", &further).unwrap();
    let from = resumed["resumed_from"].as_u64().unwrap();
    assert!(from + 1 >= done && from >= 24, "{done} rounds were done, and it went on after {from}");
    assert_eq!(resumed["head_digest"], whole["head_digest"], "{resumed}");
    assert_eq!(lab.log("run.jsonl").iter().filter(|line| line["event"] == "run").count(), 3);
}

#[test]
fn a_checkpoint_of_other_settings_and_what_is_none_are_refused() {
    let lab = Lab::new().unwrap();
    let server = lab.server("1/1", &["--simulate-slowdown", "400x"]).unwrap();
    let log = lab.text("run.jsonl");
    let further = ["--mode", "sync", "--rounds", "100000", "--log", &log];
    let mut tuner = lab.begin(&[&server], "head.onnx", &further).unwrap();
    lab.wait_for("run.jsonl", "round", |line| round(line).is_some_and(|round| round > 2)).unwrap();
    tuner.kill().unwrap();
    tuner.wait().unwrap();
    let other = lab.train(&[&server], "head.onnx", &["--mode", "sync", "--rounds", "3", "--local-lr", "0.5"]).unwrap();
    assert_eq!(other.code, Some(1), "{}", other.stderr);
    let said = &other.stderr;
    assert!(said.contains("--local-lr is 0.01, and not 0.5") && said.contains("--from-scratch"), "{said}");
    let mut bytes = std::fs::read(lab.at("head.onnx.checkpoint")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(lab.at("head.onnx.checkpoint"), bytes).unwrap();
    let broken = lab.train(&[&server], "head.onnx", &["--mode", "sync", "--rounds", "3"]).unwrap();
    assert!(broken.stderr.contains("no whole checkpoint"), "{}", broken.stderr);
    let anew = ["--mode", "sync", "--rounds", "3", "--from-scratch", "--max-steps", "1"];
    let summary = lab.trained(&[&server], "head.onnx", &anew).unwrap();
    assert_eq!((&summary["rounds"], &summary["resumed_from"]), (&3.into(), &Value::Null));
}

#[test]
fn what_cannot_be_right_is_refused_with_the_fix() {
    let lab = Lab::new().unwrap();
    let (one, two) = (lab.server("1/1", &[]).unwrap(), lab.server("1/1", &[]).unwrap());
    let both = lab.train(&[&one, &two], "head.onnx", &["--mode", "sync"]).unwrap();
    assert!(both.stderr.contains("serve the same photos") && both.stderr.contains("--partition"), "{}", both.stderr);
    // Each server has a part of its own of what it serves whole.
    let dealt =
        lab.trained(&[&one, &two], "head.onnx", &["--mode", "sync", "--rounds", "2", "--split", "iid"]).unwrap();
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
        let refused = lab.train(&[&one, &two], "head.onnx", arguments).unwrap();
        assert_eq!(refused.code, Some(2), "{arguments:?}: {}", refused.stderr);
        assert!(refused.stderr.contains(words), "{arguments:?}: {}", refused.stderr);
    }
}
