//! What deploy/prometheus and deploy/grafana ask for is there: each metric, and each value of a label, on the port of a
//! real server; each expression understood by a real Prometheus; and the alert for a dead partition fires.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use headwater_testdata::identity::{SigningKey, Signs, TestProvider};
use headwater_tests::{Data, Prometheus, ServerOptions, eventually, fetch, get_with, prometheus_program, root};
use serde_json::{Value, json};
use tempfile::TempDir;

const ALERTS: &str = "deploy/prometheus/alerts.yml";
const BOARD: &str = "deploy/grafana/headwater.json";
const MISSING: &str = "left out: there is no Prometheus here; scripts/test unpacks Debian's";

/// What the board asks Prometheus, its variables included.
fn board() -> Vec<String> {
    fn collect(value: &Value, expressions: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    match (name.as_str(), value) {
                        ("expr" | "definition", Value::String(text)) => expressions.push(text.clone()),
                        _ => collect(value, expressions),
                    }
                }
            }
            Value::Array(elements) => elements.iter().for_each(|element| collect(element, expressions)),
            _ => {}
        }
    }
    let board: Value = serde_json::from_str(&fs::read_to_string(root().join(BOARD)).unwrap()).unwrap();
    let mut expressions = Vec::new();
    collect(&board, &mut expressions);
    assert!(expressions.len() > 40, "{expressions:#?}");
    expressions
}

fn alerts() -> String {
    fs::read_to_string(root().join(ALERTS)).unwrap()
}

/// The metrics that a text names, each with the braces behind it where there are some.
fn named(text: &str) -> Vec<(&str, &str)> {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let starts = ["headwater_", "process_"].into_iter().flat_map(|prefix| text.match_indices(prefix));
    let words = starts.filter(|(at, _)| !text[..*at].ends_with(is_word)).map(|(at, _)| {
        let rest = &text[at..];
        let end = rest.find(|letter| !is_word(letter)).unwrap_or(rest.len());
        let braces = rest[end..].strip_prefix('{').and_then(|inner| inner.split_once('}'));
        (&rest[..end], braces.map_or("", |(inner, _)| inner))
    });
    words.collect()
}

/// The values that labels have to have exactly, as `name="value"`.
fn exact(braces: &str) -> impl Iterator<Item = &str> {
    braces.split(',').map(str::trim).filter(|matcher| matcher.contains("=\"") && !matcher.contains("!="))
}

/// The page of a server that takes tokens of an identity provider.
fn of_a_provider(data: &Data) -> String {
    let key = SigningKey::new(Signs::EdDsa, "a").unwrap();
    let idp = TestProvider::start(&[&key]).unwrap();
    let issuer = idp.issuer();
    let further = ["--insecure", "--oidc-issuer", &issuer, "--oidc-audience", "headwater"];
    let server = ServerOptions::new(&data.photos).metrics().args(further).start().unwrap();
    let claims = json!({"iss": issuer, "aud": "headwater", "sub": "prometheus", "exp": 9e9, "roles": "headwater:read"});
    let bearer = format!("Authorization: Bearer {}", key.token(&claims).unwrap());
    get_with(&server.metrics_address().unwrap(), "/metrics", &[&bearer]).unwrap()
}

#[test]
fn every_metric_and_label_of_the_board_and_the_alerts_is_on_the_port() {
    let data = Data::photos().unwrap();
    let state = TempDir::new().unwrap();
    let options = ServerOptions::new(&data.photos).metrics().arg("--state").arg(state.path());
    let server = options.model("model", &data.model, &data.recipe).start().unwrap();
    let out = TempDir::new().unwrap();
    let further = ["--cut", "features", "--model", "model", "--indices", "0-7"];
    fetch(&[server.address()], out.path(), &further).unwrap();
    let page = server.metrics().unwrap() + &of_a_provider(&data);
    let mut lines = BTreeMap::<&str, Vec<&str>>::new();
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let end = line.find(['{', ' ']).unwrap_or(line.len());
        lines.entry(&line[..end]).or_default().push(line);
    }
    let (board, alerts) = (board(), alerts());
    let texts = board.iter().map(|text| (BOARD, text.as_str())).chain([(ALERTS, alerts.as_str())]);
    let mut found = BTreeMap::<&str, BTreeSet<&str>>::new();
    for (file, text) in texts {
        for (metric, braces) in named(text) {
            let has = lines.get(metric).unwrap_or_else(|| panic!("{file} names {metric}, which is not on the port"));
            // The job is Prometheus' own word for those that it scrapes.
            for label in exact(braces).filter(|label| *label != "job=\"headwater\"") {
                assert!(has.iter().any(|line| line.contains(label)), "{file}: no {metric} has {label}: {has:#?}");
            }
            found.entry(file).or_default().insert(metric);
        }
    }
    println!("{found:#?}");
    assert!(found[BOARD].len() > 40 && found[ALERTS].len() > 10);
}

#[test]
fn promtool_takes_the_rules_and_their_tests_hold() {
    let Some(promtool) = prometheus_program("promtool") else {
        println!("{MISSING}");
        return;
    };
    let folder = root().join("deploy/prometheus");
    for arguments in [["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]] {
        let run = Command::new(&promtool).args(arguments).current_dir(&folder).output().unwrap();
        let said = [run.stdout, run.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        assert!(run.status.success() && said.contains("SUCCESS"), "{said}");
    }
}

/// The rules as they stand, but for how long something has to be so.
fn hasty() -> String {
    let hasty = |line: &str| match line.trim_start().strip_prefix("for: ") {
        Some(time) => line.replace(time, "2s"),
        None => line.to_owned(),
    };
    alerts().lines().map(hasty).collect::<Vec<_>>().join("\n")
}

#[test]
fn prometheus_scrapes_servers_and_a_dead_partition_fires() {
    if prometheus_program("prometheus").is_none() {
        println!("{MISSING}");
        return;
    }
    let data = Data::photos().unwrap();
    let serve = |part: &str| {
        let options = ServerOptions::new(&data.photos).metrics().args(["--no-cache", "--partition", part]);
        options.start().unwrap()
    };
    // The second part has two servers.
    let (mut first, mut second, replica) = (serve("1/2"), serve("2/2"), serve("2/2"));
    let targets = [&first, &second, &replica].map(|server| server.metrics_address().unwrap());
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("alerts.yml"), hasty()).unwrap();
    let configuration = format!(
        "global: {{ scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms }}\n\
         rule_files: [alerts.yml]\n\
         scrape_configs:\n  - job_name: headwater\n    static_configs: [{{ targets: {targets:?} }}]\n"
    );
    let prometheus = Prometheus::start(folder.path(), &configuration).unwrap().unwrap();
    eventually("all servers are scraped", || (prometheus.query("headwater_build_info").ok()?.len() == 3).then_some(()));
    for (name, value) in [("dataset_partition_served", "1"), ("connections", "0")] {
        let series = prometheus.query(&format!("headwater_{name}")).unwrap();
        assert!(series.len() == 3 && series.iter().all(|each| each["value"][1] == value), "{series:#?}");
    }
    let (mut answered, board) = (0, board());
    for expression in &board {
        let asked = match expression.strip_prefix("label_values(").and_then(|call| call.split_once(',')) {
            Some((metric, _)) => metric.to_owned(),
            None => expression.replace("$__rate_interval", "5s").replace("$dataset", ".*").replace("$instance", ".*"),
        };
        let series = prometheus.query(&asked).unwrap_or_else(|error| panic!("{expression}: {error}"));
        answered += usize::from(!series.is_empty());
    }
    println!("{answered} of the board's {} expressions have values", board.len());
    assert_eq!(prometheus.firing().unwrap(), Vec::<Value>::new());

    // Of the second part one is left.
    second.kill().unwrap();
    let down = eventually("the alert for a server that is gone", || {
        prometheus.firing().unwrap().into_iter().find(|labels| labels["alertname"] == "HeadwaterServerDown")
    });
    assert_eq!(down["instance"], targets[1].as_str());
    first.kill().unwrap();
    let dead = eventually("the alert for a dead partition", || {
        let dead = |labels: &Value| labels["alertname"] == "HeadwaterPartitionDead";
        prometheus.firing().unwrap().into_iter().find(dead)
    });
    assert_eq!(
        (&dead["dataset"], &dead["partition"], &dead["severity"]),
        (&Value::from("photos"), &Value::from("1/2"), &Value::from("critical"),)
    );
    let dead =
        prometheus.firing().unwrap().into_iter().filter(|labels| labels["alertname"] == "HeadwaterPartitionDead");
    assert_eq!(dead.count(), 1, "the other part has a server");
}
