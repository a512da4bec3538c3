//! A trace follows a call from its reader over the wire to the disk; a collector that is away, slow or mad costs
//! nothing else; and no secret is in it.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use headwater_tests::{Collected, Collector, Data, Run, Server, ServerOptions, eventually, fetch, run, run_with};

/// How long a server may take to end.
const ENDS: Duration = Duration::from_secs(30);
const FETCH: &str = "headwater.v1.Samples/Fetch";

/// The variables that send spans there at once.
fn towards(endpoint: &str) -> [(&str, &str); 2] {
    [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint), ("OTEL_BSP_SCHEDULE_DELAY", "50")]
}

fn traced(options: ServerOptions, variables: &[(&str, &str)]) -> Server {
    variables.iter().fold(options, |options, (name, value)| options.variable(name, value)).start().unwrap()
}

/// Fetches photos as pixels, with these variables.
fn pixels(server: &Server, out: &Path, indices: &str, variables: &[(&str, &str)]) -> Run {
    let (address, out) = (server.address(), out.display().to_string());
    let what = ["--recipe", "imagenet-train", "--cut", "cropped", "--seed", "1", "--epoch", "3", "--json"];
    let fixed = ["fetch", "--servers", &address, "--dataset", "photos", "--indices", indices, "--out", &out];
    run_with("profiler", [&fixed[..], &what].concat(), variables).unwrap()
}

/// Ends a server in order, so that its last spans are sent.
fn end(mut server: Server) {
    server.signal("TERM").unwrap();
    assert!(server.wait(ENDS).unwrap().success());
}

/// Spans by the names of their ancestors, the first of the trace first.
struct Traces(BTreeMap<Vec<u8>, Collected>);

// === impl Traces ===

impl Traces {
    fn of(collector: &Collector) -> Self {
        let spans = collector.spans();
        let by_id: BTreeMap<_, _> = spans.iter().map(|of| (of.span.span_id.clone(), of.clone())).collect();
        assert_eq!(by_id.len(), spans.len(), "no two spans have one name");
        Self(by_id)
    }

    /// The way to a span, and that all of it is one trace, inside of its parent's time.
    fn way(&self, of: &Collected) -> Vec<String> {
        let Some(parent) = self.0.get(&of.span.parent_span_id) else {
            assert!(of.span.parent_span_id.is_empty(), "the parent of {} is missing: {of:?}", of.span.name);
            return vec![format!("{}: {}", of.service, of.span.name)];
        };
        assert_eq!(parent.span.trace_id, of.span.trace_id, "{of:?}");
        let mut way = self.way(parent);
        way.push(format!("{}: {}", of.service, of.span.name));
        way
    }

    fn named<'a>(&'a self, service: &'a str, name: &'a str) -> impl Iterator<Item = &'a Collected> {
        self.0.values().filter(move |of| of.service == service && of.span.name == name)
    }

    fn sum(&self, service: &str, name: &str, key: &str) -> f64 {
        self.named(service, name).map(|of| of.number(key).unwrap()).sum()
    }
}

#[test]
fn one_trace_goes_from_the_tuner_over_the_wire_to_the_disk() {
    let (data, collector) = (Data::photos().unwrap(), Collector::start().unwrap());
    let (endpoint, out) = (collector.endpoint(), data.scratch.path().join("features"));
    let options = ServerOptions::new(&data.photos).model("model", &data.model, &data.recipe);
    let server = traced(options, &towards(&endpoint));
    let address = server.address();
    let extract = ["extract", "--servers", &address, "--dataset", "photos", "--model", "model", "--json", "--out"];
    let extract = [&extract[..], &[out.to_str().unwrap()]].concat();
    let summary = run_with("tuner", extract, &towards(&endpoint)).unwrap().success().unwrap().json().unwrap();
    let images = summary["images"].as_f64().unwrap();
    assert!(images > 100.0, "{summary}");
    end(server);

    let traces = Traces::of(&collector);
    let reads: Vec<_> = traces.named("storage-server", "fetch").collect();
    assert!(!reads.is_empty());
    let way = ["tuner: tuner".to_owned(), format!("tuner: {FETCH}"), format!("storage-server: {FETCH}")];
    let way = [&way[..], &["storage-server: sample".to_owned(), "storage-server: fetch".to_owned()]].concat();
    for read in reads {
        assert_eq!(traces.way(read), way);
    }
    let stages = ["fetch", "queue", "decode", "infer", "send"];
    assert!(stages.iter().all(|stage| traces.named("storage-server", stage).next().is_some()));
    traces.0.values().for_each(|of| assert!(traces.way(of).len() <= 5));
    assert_eq!(traces.sum("tuner", "tuner", "headwater.samples.came"), images);
    assert_eq!(traces.sum("storage-server", FETCH, "headwater.samples.made"), images);
    assert!(traces.sum("storage-server", FETCH, "headwater.infer_seconds") > 0.0);
    assert!(traces.sum("tuner", FETCH, "headwater.received_bytes") > images * 4.0);
    // A few for each call, and not one for each sample and stage.
    let calls = traces.named("storage-server", FETCH).count();
    assert!(calls > 0 && traces.0.len() <= calls * 80, "{} spans of {calls} calls", traces.0.len());
}

#[test]
fn what_was_kept_is_told_from_what_was_read_and_what_failed_is_named() {
    let (data, collector) = (Data::photos().unwrap(), Collector::start().unwrap());
    let endpoint = collector.endpoint();
    let photos = data.scratch.path().join("few");
    std::fs::create_dir_all(photos.join("a")).unwrap();
    let set = headwater_testdata::PhotoSet { classes: 1, per_class: 8, ..headwater_testdata::PhotoSet::default() };
    set.write(&photos).unwrap();
    std::fs::write(photos.join("a/broken.jpg"), b"no photo").unwrap();
    let options = ServerOptions::new(&photos).args(["--cache-memory", "64MiB", "--cache-kinds", "resized"]);
    let server = traced(options, &towards(&endpoint));
    for epoch in ["first", "second"] {
        let further = ["--max-failures", "100%"];
        let (address, out) = (server.address(), data.scratch.path().join(epoch).display().to_string());
        let what = ["--recipe", "imagenet-eval", "--cut", "cropped", "--out", &out];
        let fixed = ["fetch", "--servers", &address, "--dataset", "photos"];
        let fetched = [&fixed[..], &what, &further].concat();
        run_with("profiler", fetched, &towards(&endpoint)).unwrap().success().unwrap();
    }
    end(server);
    let traces = Traces::of(&collector);
    let mut calls: Vec<_> = traces.named("storage-server", FETCH).collect();
    calls.sort_by_key(|call| call.span.start_time_unix_nano);
    let total = |key: &str| calls.iter().map(|call| call.number(key).unwrap()).sum::<f64>();
    assert_eq!(total("headwater.samples.made"), 18.0);
    assert_eq!(total("headwater.samples.failed"), 2.0);
    assert_eq!(calls[0].number("headwater.samples.kept").unwrap(), 0.0, "{:?}", calls[0].attributes());
    assert_eq!(total("headwater.samples.kept"), 8.0);
    let broken = |of: &&Collected| of.attributes().get("headwater.key").is_some_and(|key| key == "a/broken.jpg");
    let broken: Vec<_> = traces.named("storage-server", "sample").filter(broken).collect();
    assert_eq!(broken.len(), 2);
    for of in broken {
        assert!(of.failure().is_some(), "{of:?}");
        assert!(traces.way(of).len() == 4, "{:?}", traces.way(of));
    }
    let finished = traces.sum("profiler", "profiler", "headwater.samples.came");
    assert_eq!(finished, 18.0);
}

#[test]
fn a_server_follows_those_alone_whose_callers_are_followed() {
    let (data, collector) = (Data::photos().unwrap(), Collector::start().unwrap());
    let endpoint = collector.endpoint();
    let server = traced(ServerOptions::new(&data.photos), &towards(&endpoint));
    let sampled = |share: &'static str| {
        let sampler = [("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", share)];
        [&towards(&endpoint)[..], &sampler].concat().iter().map(|(k, v)| (k.to_string(), v.to_string())).collect()
    };
    let fetch = |name: &str, share| {
        let variables: Vec<(String, String)> = sampled(share);
        let variables: Vec<_> = variables.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        pixels(&server, &data.scratch.path().join(name), "0-19", &variables).success().unwrap();
    };
    fetch("none", "0");
    fetch("all", "1");
    end(server);
    let traces = Traces::of(&collector);
    let roots: Vec<_> = traces.0.values().filter(|of| of.span.parent_span_id.is_empty()).collect();
    assert!(roots.iter().all(|root| root.service == "profiler"), "a server begins no trace of what is not followed");
    assert_eq!(traces.sum("profiler", "profiler", "headwater.samples.came"), 20.0);
    assert_eq!(traces.sum("storage-server", FETCH, "headwater.samples.made"), 20.0);
}

#[test]
fn a_collector_that_is_away_slow_or_mad_changes_no_bit_and_holds_nobody_up() {
    let data = Data::photos().unwrap();
    let plain = ServerOptions::new(&data.photos).start().unwrap();
    let further = ["--recipe", "imagenet-train", "--cut", "cropped", "--seed", "1", "--epoch", "3"];
    let out = data.scratch.path().join("reference");
    let indices = ["--indices", "0-39"];
    let reference = fetch(&[plain.address()], &out, &[&further[..], &indices].concat()).unwrap();
    let (silent, mad) = (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let endpoint = |listener: &TcpListener| format!("http://{}", listener.local_addr().unwrap());
    let (of_silent, of_mad) = (endpoint(&silent), endpoint(&mad));
    let gone = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        endpoint(&listener)
    };
    std::thread::spawn(move || {
        for connection in mad.incoming() {
            // It hangs up in the middle of what is no HTTP/2.
            let _ = std::io::Write::write_all(&mut connection.unwrap(), &[0xff; 64]);
        }
    });
    for (name, endpoint) in [("gone", &gone), ("silent", &of_silent), ("mad", &of_mad)] {
        let log = data.scratch.path().join(format!("{name}.log"));
        let mut server = traced(ServerOptions::new(&data.photos).log(&log), &towards(endpoint));
        let began = Instant::now();
        let fetched = pixels(&server, &data.scratch.path().join(name), "0-39", &towards(endpoint)).success().unwrap();
        // Its own end included, which waits for two seconds at most.
        assert!(began.elapsed() < Duration::from_secs(60), "{name}: {:?}", began.elapsed());
        assert!(fetched.stderr.contains("spans of traces"), "{name}: {}", fetched.stderr);
        for (index, array) in &reference.arrays {
            let came = headwater_tests::read_npy(&data.scratch.path().join(name).join(format!("{index}.npy")));
            assert_eq!(&came.unwrap(), array, "{name}: {index}");
        }
        server.signal("TERM").unwrap();
        let ended = Instant::now();
        assert!(server.wait(ENDS).unwrap().success());
        assert!(ended.elapsed() < Duration::from_secs(10), "{name}: {:?}", ended.elapsed());
        let said = std::fs::read_to_string(&log).unwrap();
        let told = said.lines().filter(|line| line.contains("spans of traces")).count();
        assert!((1..=2).contains(&told), "{name}: once, and at the end how many\n{said}");
    }
}

#[test]
fn no_secret_is_in_a_span_or_in_a_log() {
    let (data, collector) = (Data::photos().unwrap(), Collector::start().unwrap());
    let (endpoint, log) = (collector.endpoint(), data.scratch.path().join("log"));
    let made = ["token", "--holder", "anna", "--role", "read", "--json"];
    let made = run("storage-server", made).unwrap().success().unwrap().json().unwrap();
    let (token, line) = (made["token"].as_str().unwrap(), made["line"].as_str().unwrap());
    let at = |name: &str, text: &str| {
        let path = data.scratch.path().join(name);
        std::fs::write(&path, format!("{text}\n")).unwrap();
        path.display().to_string()
    };
    let (tokens, shown) = (at("tokens", line), at("token", token));
    let headers = ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20hush-of-the-collector");
    let variables = [&towards(&endpoint)[..], &[headers]].concat();
    let options =
        ServerOptions::new(&data.photos).args(["--tokens", &tokens, "--insecure"]).log(&log).arg("--log").arg("trace");
    let server = traced(options, &variables);
    let (address, out) = (server.address(), data.scratch.path().join("out").display().to_string());
    let what = ["--recipe", "imagenet-eval", "--cut", "encoded", "--out", &out, "--log", "trace"];
    let fixed = ["fetch", "--servers", &address, "--dataset", "photos", "--token-file", &shown];
    let fetched = run_with("profiler", [&fixed[..], &what].concat(), &variables).unwrap().success().unwrap();
    end(server);
    assert!(!collector.spans().is_empty());
    let said = collector.text() + &fetched.stderr + &std::fs::read_to_string(&log).unwrap();
    for secret in [token, "hush-of-the-collector"] {
        assert!(!said.contains(secret), "a secret was said");
    }
}

#[test]
fn a_variable_that_cannot_be_right_is_refused_before_anything_is_done() {
    let wrong = [("OTEL_TRACES_EXPORTER", "otlp"), ("OTEL_TRACES_SAMPLER_ARG", "much")];
    let wrong = [&wrong[..], &[("OTEL_TRACES_SAMPLER", "traceidratio")]].concat();
    let nowhere = ["serve", "--dataset", "photos", "--data", "/no/such/folder"];
    let show = ["recipe", "imagenet-eval"];
    for (program, arguments) in [("storage-server", &nowhere[..]), ("profiler", &show[..])] {
        let refused = run_with(program, arguments, &wrong).unwrap();
        assert_eq!(refused.code, Some(2), "{program}: {}", refused.stderr);
        assert!(
            refused.stderr.contains("OTEL_TRACES_SAMPLER_ARG: \"much\" is no share from 0 to 1"),
            "{}",
            refused.stderr
        );
    }
    let data = Data::photos().unwrap();
    let photos = data.photos.display().to_string();
    let check = ["serve", "--dataset", "photos", "--data", &photos, "--check-config"];
    let checked = run_with("storage-server", check, &[("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317")]).unwrap();
    assert_eq!(checked.code, Some(2), "{}", checked.stderr);
    assert!(checked.stderr.contains("OTEL_EXPORTER_OTLP_ENDPOINT"), "{}", checked.stderr);
}

#[test]
fn of_samples_that_another_server_keeps_the_trace_goes_on_there() {
    let (data, collector) = (Data::photos().unwrap(), Collector::start().unwrap());
    let endpoint = collector.endpoint();
    let peers = data.scratch.path().join("peers");
    std::fs::write(&peers, "").unwrap();
    let at = peers.display().to_string();
    let server = |name| {
        let cache = data.scratch.path().join(name);
        let options = ServerOptions::new(&data.photos).metrics().arg("--cache-dir").arg(cache);
        traced(options.args(["--peer-name", name, "--peers-file", &at]), &towards(&endpoint))
    };
    let servers = ["node0", "node1"].map(server);
    let lines: Vec<_> = servers.iter().map(|server| server.address() + "\n").collect();
    std::fs::write(&peers, lines.concat()).unwrap();
    let meets = |of: &Server| of.metric("headwater_peers_live").unwrap() == Some(1.0);
    eventually("peers", || servers.iter().all(meets).then_some(()));
    let out = data.scratch.path().join("out");
    pixels(&servers[0], &out, "0-59", &towards(&endpoint)).success().unwrap();
    servers.into_iter().for_each(end);
    let traces = Traces::of(&collector);
    let hops: Vec<_> = traces.named("storage-server", FETCH).filter(|of| traces.way(of).len() == 5).collect();
    assert!(!hops.is_empty(), "{:?}", traces.0.values().map(|of| traces.way(of)).collect::<Vec<_>>());
    assert!(hops.iter().all(|hop| hop.attributes()["headwater.forwarded"] == "true"));
    assert_eq!(traces.sum("profiler", "profiler", "headwater.samples.came"), 60.0);
}
