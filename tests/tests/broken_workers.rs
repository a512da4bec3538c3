//! Servers that train one head, of which one lies, is cut off, or comes when the others have begun.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use headwater_tests::{Lab, Liar, Lie, Line, Reached, Server, counted, round};
use serde_json::Value;

/// What a worker did in a round.
fn steps(line: &Value, worker: u64) -> u64 {
    let mut workers = line["workers"].as_array().unwrap().iter();
    workers.find(|part| part["worker"] == worker).map_or(0, |part| part["steps"].as_u64().unwrap())
}

fn seconds(line: &Value, which: &str) -> f64 {
    line[which].as_f64().unwrap()
}

#[test]
fn a_worker_that_lies_is_refused_by_name_and_nothing_of_it_is_in_the_weights() {
    let lab = Lab::new().unwrap();
    let (one, two) = (lab.server("1/2", &[]).unwrap(), lab.server("2/2", &[]).unwrap());
    let lies = [
        (Lie::NotANumber, "weights that are no numbers"),
        (Lie::Shorter, "bytes, and the head has"),
        (Lie::Stale, "it sent steps of round"),
        (Lie::MoreSteps, "steps, and"),
        (Lie::Damaged, "digest"),
    ];
    for (lie, words) in lies {
        let liar = Liar::before(&two.address(), lie).unwrap();
        let log = format!("{lie:?}.jsonl");
        let further = ["--mode", "esync", "--rounds", "8", "--run-log", &lab.text(&log)];
        let summary = lab.trained(&[&one, &liar], "head.onnx", &further).unwrap();
        let worker = &summary["workers"][1];
        assert_eq!((&worker["steps"], &summary["rounds"]), (&0.into(), &8.into()), "{lie:?}: {summary}");
        assert!(worker["away"].as_str().unwrap().contains(words), "{lie:?}: {summary}");
        assert!(summary["validation_top1"].as_f64().unwrap() > 0.7, "{lie:?}: {summary}");
        let lines = lab.log(&log);
        assert!(lines.iter().filter(|line| round(line).is_some()).all(|line| counted(line) == [0]), "{lie:?}");
        let refused = |line: &&Value| line["event"] == "worker" && line["state"] == "refused" && line["worker"] == 1;
        let refused = lines.iter().find(refused).unwrap();
        assert!(refused["reason"].as_str().unwrap().contains(words), "{lie:?}: {refused}");
    }
}

#[test]
fn a_worker_that_is_cut_off_costs_its_share_and_has_its_full_rate_again_when_the_line_is_mended() {
    let lab = Lab::new().unwrap();
    let slow = ["--simulate-slowdown", "400x"];
    let (one, two) = (lab.server("1/2", &slow).unwrap(), lab.server("2/2", &slow).unwrap());
    let line = Line::before(&two.address()).unwrap();
    let log = lab.text("run.jsonl");
    let further = ["--mode", "esync", "--rounds", "100000", "--run-log", &log];
    let mut tuner = lab.begin(&[&one, &line], "head.onnx", &further).unwrap();
    let both = |line: &Value| round(line).is_some_and(|round| round > 5) && counted(line) == [0, 1];
    let before = lab.wait_for("run.jsonl", "round of both", both).unwrap();

    line.cut();
    let rounds = lab.log("run.jsonl").into_iter().filter(|line| round(line).is_some());
    let cut = rounds.map(|line| seconds(&line, "end_seconds")).fold(0.0, f64::max);
    let lost = lab.wait_for_worker("run.jsonl", 1, "lost").unwrap();
    println!("cut after {cut:.2} s, seen {:.2} s later", lost - cut);
    let alone = |line: &Value| round(line).is_some() && counted(line) == [0] && seconds(line, "begin_seconds") > lost;
    lab.wait_for("run.jsonl", "round of the other", alone).unwrap();

    line.mend();
    let back = lab.wait_for_worker("run.jsonl", 1, "back").unwrap();
    let is_full = |line: &Value| {
        round(line).is_some() && seconds(line, "begin_seconds") >= back && 2 * steps(line, 1) >= steps(&before, 1)
    };
    let full = lab.wait_for("run.jsonl", "round with as many steps as before", is_full).unwrap();
    println!("back after {back:.2} s, its full rate {:.2} s later", seconds(&full, "end_seconds") - back);
    tuner.kill().unwrap();
    tuner.wait().unwrap();
}

#[test]
fn six_workers_become_twelve_and_no_round_stands_still() {
    let lab = Lab::new().unwrap();
    let server = |number: usize| lab.server(&format!("{}/12", number + 1), &["--simulate-slowdown", "100x"]).unwrap();
    let mut servers: Vec<Server> = (0..12).map(server).collect();
    let later: Vec<Server> = servers
        .split_off(6)
        .into_iter()
        .map(|mut late| {
            late.kill().unwrap();
            late
        })
        .collect();
    let log = lab.text("run.jsonl");
    let further = ["--mode", "esync", "--rounds", "100000", "--min-workers", "6", "--run-log", &log];
    let all = servers.iter().chain(&later).map(|server| server as &dyn Reached).collect::<Vec<_>>();
    let mut tuner = lab.begin(&all, "head.onnx", &further).unwrap();
    let of = |workers: usize, least: u64| {
        move |line: &Value| round(line).is_some_and(|round| round > least) && counted(line).len() == workers
    };
    let six = lab.wait_for("run.jsonl", "round of six", of(6, 5)).unwrap();
    let _later: Vec<_> = later.into_iter().map(|late| late.restart().unwrap()).collect();
    let twelve = lab.wait_for("run.jsonl", "round of twelve", of(12, 5)).unwrap();
    tuner.kill().unwrap();
    tuner.wait().unwrap();
    let lines = lab.log("run.jsonl");
    let between = |line: &&Value| (round(&six)..=round(&twelve)).contains(&round(line)) && round(line).is_some();
    let lengths =
        lines.iter().filter(between).map(|line| seconds(line, "end_seconds") - seconds(line, "begin_seconds"));
    let longest = lengths.fold(0.0, f64::max);
    let (first, last) = (round(&six).unwrap(), round(&twelve).unwrap());
    println!("from 6 workers in round {first} to 12 in round {last}: the longest round took {longest:.2} s");
    // Nobody who is away is waited for: that would take the two seconds of silence, or for ever.
    assert!(longest < 10.0, "{longest}");
}
