//! Training over unequal machines, as far as it needs no server: the paper's rule is that of the paper (ESync), ours is
//! never slower, and a page is made of the logs of any number of runs, whole or not.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use std::path::Path;

use headwater_tests::{root, run};
use serde_json::{Value, json};

/// ESync's own example: four fast workers, the slow ones third and sixth.
fn cluster(folder: &Path) -> String {
    let worker = |compute: u64| json!({"compute_us": compute, "communication_us": 4_800_000});
    let workers = [60_000, 60_000, 3_400_000, 60_000, 60_000, 3_100_000].map(worker);
    let path = folder.join("cluster.json");
    let cluster = json!({"workers": workers, "batch": 64, "model_bytes": 42_600_000});
    std::fs::write(&path, cluster.to_string()).unwrap();
    path.display().to_string()
}

fn simulate(cluster: &str, more: &[&str]) -> Value {
    let fixed = ["simulate", "sync", "--workers", cluster, "--rounds", "4", "--json"];
    run("profiler", fixed.iter().chain(more)).unwrap().success().unwrap().json().unwrap()
}

#[test]
fn the_papers_rule_is_the_papers_and_ours_is_faster() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = cluster(folder.path());
    let paper = simulate(&cluster, &["--mode", "esync", "--sync-rule", "paper"]);
    assert_eq!(paper["k_per_round"], json!(vec![[48, 48, 1, 48, 48, 1]; 4]));
    assert_eq!(paper["round_end_us"], json!([8_200_000, 16_400_000, 24_600_000, 32_800_000]));
    let rate = |report: &Value| report["samples_per_second"].as_f64().unwrap();
    let ours = simulate(&cluster, &["--mode", "esync"]);
    assert!(rate(&ours) >= 2.4 * rate(&paper) && ours["utilisation"].as_f64().unwrap() >= 0.9, "{ours}");
    let overlapped = simulate(&cluster, &["--mode", "esync", "--overlap"]);
    assert!(rate(&overlapped) >= 2.7 * rate(&paper), "{overlapped}");
    let sync = simulate(&cluster, &["--mode", "sync"]);
    assert_eq!(sync["k_per_round"], json!(vec![[1; 6]; 4]));
    assert_eq!(sync["bytes_per_second"], json!(6.0 * 42_600_000.0 / 8.2));
    let apart = simulate(&cluster, &["--mode", "async"]);
    assert!(rate(&apart) > rate(&sync), "{apart}");
    let capped = simulate(&cluster, &["--mode", "esync", "--max-steps", "10"]);
    assert_eq!(capped["k_per_round"][0], json!([10, 10, 1, 10, 10, 1]));
    // An epsilon below a fast worker's step lets it make as many as fit.
    let exact = simulate(&cluster, &["--mode", "esync", "--sync-rule", "paper", "--paper-epsilon", "0"]);
    assert_eq!(exact["k_per_round"][0], json!([56, 56, 1, 56, 56, 1]));
}

#[test]
fn a_cluster_that_is_none_is_refused_by_field_and_worker() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cluster.json").display().to_string();
    std::fs::write(&path, r#"{"workers":[{"compute_us":0,"communication_us":1}],"batch":1,"model_bytes":1}"#).unwrap();
    let refused = run("profiler", ["simulate", "sync", "--workers", &path, "--mode", "sync", "--rounds", "1"]).unwrap();
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("compute_us of worker 0 is 0, which is not a whole number from 1"),
        "{}",
        refused.stderr
    );
    let overlap = ["--mode", "async", "--rounds", "1", "--overlap"];
    let refused = run("profiler", ["simulate", "sync", "--workers", &path].iter().chain(&overlap)).unwrap();
    assert!(
        refused.code == Some(2) && refused.stderr.contains("--overlap is for --mode esync and sync"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_page_is_made_of_logs_whole_or_not_and_says_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let corpus = |name: &str| root().join("fuzz/corpus/sync_log").join(name).display().to_string();
    let empty = folder.path().join("empty.jsonl").display().to_string();
    std::fs::write(&empty, "").unwrap();
    let out = folder.path().join("page.html").display().to_string();
    let logs = [corpus("whole.jsonl"), corpus("cut.jsonl"), corpus("resumed.jsonl"), corpus("async.jsonl"), empty];
    let line = ["report", "sync"].into_iter().chain(logs.iter().map(String::as_str));
    let done = run("profiler", line.chain(["--out", &out, "--json"])).unwrap().success().unwrap();
    let page = std::fs::read_to_string(&out).unwrap();
    for missing in ["cut: the log was cut within a line", "empty: the log is empty"] {
        assert!(page.contains(missing) && done.stderr.contains(missing), "{missing}: {}", done.stderr);
    }
    let report = done.json().unwrap();
    assert_eq!(report["bytes"], json!(page.len()));
    assert_eq!((&report["runs"][0]["rounds"], &report["runs"][0]["lost"]), (&json!(3), &json!(1)));
    assert_eq!((&report["runs"][4]["rounds"], &report["runs"][4]["top1"]), (&json!(0), &Value::Null));
    let bad = corpus("bad-worker.jsonl");
    let refused = run("profiler", ["report", "sync", &bad, "--out", &out]).unwrap();
    assert!(refused.stderr.contains("bad-worker.jsonl:2: there is no worker 2: the run has 2"), "{}", refused.stderr);
    assert_eq!(std::fs::read_to_string(&out).unwrap(), page, "the page is as it was");
}
