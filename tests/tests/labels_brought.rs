//! Labels of a network that is split, or runs at the tuner, are those that the servers give alone; what is labelled
//! stays, whatever is stopped, and mistakes are named.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]
#![expect(clippy::disallowed_methods, reason = "an interrupt comes at some moment")]

mod trained;

use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use headwater_tests::{Server, program, run};
use serde_json::Value;
use trained::{Trained, all, check, done, relabel};

/// The servers of two parts, which keep nothing of an earlier test.
fn servers(trained: &Trained, name: &str) -> [Server; 2] {
    ["1/2", "2/2"].map(|part| {
        let state = format!("{name}-{}", part.replace('/', "-"));
        trained.serve_in(&state, &trained.data.photos, part).start().unwrap()
    })
}

fn addresses(servers: &[Server; 2]) -> String {
    servers.each_ref().map(Server::address).join(",")
}

/// The cuts of the extractor, by the names of their tensors.
fn cuts(trained: &Trained) -> Vec<String> {
    let model = trained.data.model.to_str().unwrap();
    let measured = ["model", "--model", model, "--recipe", &trained.data.recipe, "--seconds", "0.001"];
    let further = ["--batches", "1", "--output", "features", "--json"];
    let profile = done(run("profiler", measured.into_iter().chain(further)).unwrap());
    let cuts = profile["cuts"].as_array().unwrap().iter();
    cuts.filter_map(|cut| cut["tensor"].as_str().map(str::to_owned)).collect()
}

/// Labels are the same, and scores nearly.
#[track_caller]
fn same(one: &[(String, String, f64)], other: &[(String, String, f64)]) {
    assert_eq!(one.len(), other.len());
    for ((key, label, score), (other_key, other_label, other_score)) in one.iter().zip(other) {
        assert_eq!((key, label), (other_key, other_label));
        assert!((score - other_score).abs() < 1e-4, "{key}: {score} and {other_score}");
    }
}

#[test]
fn a_split_network_labels_as_the_servers_do_and_each_photo_once() {
    let trained = Trained::new();
    let (n, model, cuts) = (trained.photos(), trained.data.model.to_str().unwrap(), cuts(&trained));
    let alone = ["1/2", "2/2"].map(|part| trained.serve(&trained.data.photos, part).start().unwrap());
    let split = servers(&trained, "split");
    done(relabel(&addresses(&alone), "head", &[]));
    let (expected, servers) = (all(&addresses(&alone), "head"), addresses(&split));

    let at = ["--split-at", &cuts[cuts.len() / 2], "--extractor", model, "--split-coded"];
    let summary = done(relabel(&servers, "head", &at));
    check(&summary, [("labelled", n), ("skipped", 0), ("failed", 0), ("decoded", n)]);
    let travelled = &summary["brought"];
    assert_eq!(travelled["split"]["cuts"][&cuts[cuts.len() / 2]].as_u64(), Some(n), "{summary}");
    assert!(travelled["bytes_received"].as_u64().unwrap() > 0, "{summary}");
    same(&all(&servers, "head"), &expected);

    // What is labelled is labelled, whoever does it; and what is forgotten is made anew.
    check(&done(relabel(&servers, "head", &at[..4])), [("labelled", 0), ("skipped", n), ("failed", 0), ("decoded", 0)]);
    let by_servers = done(relabel(&servers, "head", &[]));
    check(&by_servers, [("labelled", 0), ("skipped", n), ("failed", 0), ("decoded", 0)]);
    assert_eq!(by_servers["brought"], Value::Null);
    let scratch = [&at[..4], &["--from-scratch"]].concat();
    check(&done(relabel(&servers, "head", &scratch)), [("labelled", n), ("skipped", 0), ("failed", 0), ("decoded", n)]);
    same(&all(&servers, "head"), &expected);

    // A job that is too short to be planned comes as features; a model that gives scores itself is one like others.
    let joined = trained.joined.to_str().unwrap();
    let planned = done(relabel(&servers, "joined", &["--plan", "auto", "--extractor", joined]));
    check(&planned, [("labelled", n), ("skipped", 0), ("failed", 0), ("decoded", n)]);
    let labels = |labels: Vec<(String, String, f64)>| labels.into_iter().map(|(key, label, _)| (key, label));
    let (by_joined, by_head) = (labels(all(&servers, "joined")), labels(expected));
    let differs = by_joined.zip(by_head).filter(|(one, other)| one != other).count();
    assert!(differs as u64 <= n / 100, "{differs} of {n} labels differ");
}

#[test]
fn what_was_labelled_before_an_interrupt_stays_and_the_next_start_labels_the_rest() {
    let trained = Trained::new();
    let (n, model, cuts) = (trained.photos(), trained.data.model.to_str().unwrap(), cuts(&trained));
    let servers_of = servers(&trained, "cut");
    let servers = addresses(&servers_of);
    let fixed = ["relabel", "--servers", &servers, "--dataset", "photos", "--model", "head", "--json"];
    let split = ["--split-at", cuts.last().unwrap(), "--extractor", model];
    let slowly = [&fixed[..], &split, &["--limit-bandwidth", "100kbps"]].concat();
    let (stderr, stopped) = in_the_middle(&slowly).unwrap();
    let labelled = stopped["labelled"].as_u64().unwrap();
    assert!(labelled < n, "{stopped}");
    let words = format!("{labelled} of {n} photos are labelled: run the same command again");
    assert!(stderr.contains(&words), "{words:?} is not in {stderr}");
    assert_eq!(all(&servers, "head").len() as u64, labelled);
    let rest = done(run("tuner", [&fixed[..], &split].concat()).unwrap());
    check(&rest, [("labelled", n - labelled), ("skipped", labelled), ("failed", 0), ("decoded", n - labelled)]);
    assert_eq!(all(&servers, "head").len() as u64, n);
}

/// Interrupted ever later, until some photos were labelled and not all: standard error and the summary.
fn in_the_middle(arguments: &[&str]) -> Option<(String, Value)> {
    for delay in [2, 3, 4, 8].map(Duration::from_secs) {
        let output = interrupted_after(arguments, delay);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(130), "{stderr}");
        let line = output.stdout.split(|byte| *byte == b'\n').next().unwrap();
        if let Ok(summary) = serde_json::from_slice::<Value>(line)
            && summary["labelled"].as_u64().is_some_and(|labelled| labelled > 0)
        {
            return Some((stderr, summary));
        }
    }
    None
}

fn interrupted_after(arguments: &[&str], delay: Duration) -> Output {
    let mut command = Command::new(program("tuner"));
    let child = command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(delay);
    interrupt(&child);
    child.wait_with_output().unwrap()
}

fn interrupt(child: &Child) {
    Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap();
}

#[test]
fn what_cannot_be_labelled_so_is_refused_with_the_fix() {
    let trained = Trained::new();
    let servers_of = servers(&trained, "refused");
    let servers = addresses(&servers_of);
    let model = trained.data.model.to_str().unwrap();
    let split = ["--split-at", &cuts(&trained)[0], "--extractor", model];
    for (further, words) in [
        (&["--detach"][..], "--detach is of labellings that servers run alone"),
        (&["--share", "50"], "--share is of labellings that servers run alone"),
        (&["--cancel"], "--cancel is of labellings that servers run alone"),
        (&["--split-coded"], ""),
    ] {
        let refused = relabel(&servers, "head", &[&split[..], further].concat());
        let is_right = if words.is_empty() { refused.code == Some(0) } else { refused.code == Some(2) };
        assert!(is_right && refused.stderr.contains(words), "{further:?}: {}", refused.stderr);
    }
    let without = relabel(&servers, "head", &split[..2]);
    assert!(without.code == Some(2) && without.stderr.contains("--extractor"), "{}", without.stderr);
    let unknown = relabel(&servers, "head", &["--split-at", "none", "--extractor", model]);
    assert!(unknown.code == Some(1) && unknown.stderr.contains("none"), "{}", unknown.stderr);
    let other_k = relabel(&servers, "head", &[&split[..], &["--top-k", "2"]].concat());
    assert!(other_k.code == Some(1) && other_k.stderr.contains("--from-scratch"), "{}", other_k.stderr);
}
