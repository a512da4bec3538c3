//! Every flag is also a variable and a key: flag over variable over file over default.

use std::process::Command;

use headwater_tests::{program, run};
use serde_json::Value;
use tempfile::TempDir;

#[test]
fn flag_over_variable_over_file_over_default() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("server.toml");
    std::fs::write(
        &file,
        "data = \".\"\ncache-dir = \"/var/tmp/headwater-index-of-no-one\"\n\
        listen = \"127.0.0.1:0\"\ndataset = \"from-file\"\ncpu-workers = 3\nmax-streams = 4\ngrace = 5\n",
    )
    .unwrap();
    let output = Command::new(program("storage-server"))
        .args(["serve", "--check-config", "--max-streams", "9", "--config"])
        .arg(&file)
        .env("HEADWATER_CPU_WORKERS", "7")
        .env("HEADWATER_MAX_STREAMS", "8")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let table: toml::Table = toml::from_str(&text).unwrap();
    let find = |key: &str| -> String {
        let found = table.get(key).or_else(|| table.get("serve").and_then(|serve| serve.get(key)));
        found.unwrap_or_else(|| panic!("no {key} in {text}")).to_string().replace('"', "")
    };
    let expected = [("max-streams", "9"), ("cpu-workers", "7"), ("dataset", "[from-file]"), ("stream-window", "64")];
    for (key, value) in expected {
        assert_eq!(find(key), value, "{key} in {text}");
    }
}

#[test]
fn mistakes_are_named_with_their_fix() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("server.toml");
    std::fs::write(&file, "cpu-wrokers = 3\n").unwrap();
    let config = file.display().to_string();
    let base = ["serve", "--data", "/nonexistent", "--dataset", "d", "--listen", "127.0.0.1:0"];
    let said = |further: &[&str]| {
        let run = run("storage-server", base.iter().chain(further)).unwrap();
        assert_ne!(run.code, Some(0));
        run.stderr
    };
    assert!(said(&["--config", &config]).contains("cpu-workers"));
    assert!(said(&[]).contains("/nonexistent"));
    assert!(said(&["--device", "cuda"]).contains("--model"));
    assert!(said(&["--memory", "1MiB"]).contains("--memory"));
    assert!(said(&["--model", "m=x.onnx"]).contains("recipe"));
    assert!(said(&["--partition", "3/2"]).contains("partition"));
}

#[test]
fn help_has_examples() {
    for (name, command) in [
        ("storage-server", "index"),
        ("storage-server", "serve"),
        ("tuner", "extract"),
        ("tuner", "fine-tune"),
        ("profiler", "fetch"),
        ("profiler", "recipe"),
    ] {
        let help = run(name, [command, "--help"]).unwrap().success().unwrap().stdout;
        assert!(help.contains("HEADWATER_"), "{name} {command}: {help}");
        assert!(run(name, ["--help"]).unwrap().success().unwrap().stdout.contains("Examples"), "{name}");
    }
}

#[test]
fn recipes_in_the_box_are_listed_with_their_digests() {
    let listed: Value = run("profiler", ["recipe", "--json"]).unwrap().success().unwrap().json().unwrap();
    assert!(listed.to_string().contains("imagenet-train"), "{listed}");
    let shown: Value =
        run("profiler", ["recipe", "mobilenet-eval", "--json"]).unwrap().success().unwrap().json().unwrap();
    assert_eq!(shown["digest"].as_str().map(str::len), Some(64), "{shown}");
}

/// The names of every subcommand that has settings, and the program's own.
const COMMANDS: [(&str, &[&str]); 3] = [
    ("storage-server", &["serve", "index"]),
    ("tuner", &["extract", "fine-tune"]),
    (
        "profiler",
        &[
            "recipe", "fetch", "import", "plan", "explain", "report", "dataset", "network", "machine", "epoch",
            "compare", "simulate",
        ],
    ),
];

#[test]
fn every_subcommand_says_its_version_with_its_commit() {
    for (name, commands) in COMMANDS {
        let said = |arguments: &[&str]| run(name, arguments).unwrap().success().unwrap().stdout;
        let version = said(&["--version"]);
        let commit = version.strip_prefix(&format!("{name} {} (", env!("CARGO_PKG_VERSION")));
        let commit = commit.and_then(|rest| rest.strip_suffix(")\n")).unwrap_or_else(|| panic!("{version}"));
        let is_hash = commit.len() == 7 && commit.bytes().all(|digit| digit.is_ascii_hexdigit());
        assert!(is_hash || commit == "unknown", "{version}");
        for command in commands {
            assert_eq!(said(&[command, "--version"]), version, "{name} {command}");
        }
    }
}

#[test]
fn completions_and_man_pages_come_from_the_programs() {
    let folder = TempDir::new().unwrap();
    for (name, commands) in COMMANDS {
        for shell in ["bash", "zsh", "fish"] {
            let script = run(name, ["completions", shell]).unwrap().success().unwrap().stdout;
            assert!(commands.iter().all(|command| script.contains(command)), "{name} {shell}");
        }
        let page = run(name, ["man"]).unwrap().success().unwrap().stdout;
        assert!(page.contains(".TH") && page.contains("HEADWATER_"), "{page}");
        let out = folder.path().join("man1");
        run(name, ["man", "--out", out.to_str().unwrap()]).unwrap().success().unwrap();
        for command in commands {
            let page = std::fs::read_to_string(out.join(format!("{name}-{command}.1"))).unwrap();
            assert!(page.contains("HEADWATER_"), "{name} {command}");
        }
    }
}

#[test]
fn a_number_that_its_type_takes_and_its_setting_does_not_is_refused_in_the_settings_words() {
    for (flag, value, words) in [
        ("--cpu-workers", "100000", "threads up to 1024"),
        ("--inference-workers", "1025", "threads up to 1024"),
        ("--max-pixels", "0", "pixels, 1 or more"),
        ("--max-dimension", "0", "pixels, 1 or more"),
    ] {
        let said = run("storage-server", ["serve", "--data", ".", "--dataset", "d", flag, value]).unwrap();
        assert_eq!(said.code, Some(2), "{}", said.stderr);
        assert!(said.stderr.contains(flag) && said.stderr.contains(words), "{}", said.stderr);
        assert!(!said.stderr.contains("18446744073709551615"), "{}", said.stderr);
    }
}

#[test]
fn with_json_an_error_is_one_line_on_standard_error_and_nothing_is_on_standard_output() {
    let folder = TempDir::new().unwrap();
    let config = folder.path().join("json.toml");
    std::fs::write(&config, "json = true\nzebra = 1\n").unwrap();
    let config = config.display().to_string();
    let cases: [(&str, &[&str], i32, &str); 9] = [
        ("tuner", &["extract", "--partion", "1/2", "--json"], 2, "--partion"),
        ("tuner", &["extract", "--json"], 2, "--servers"),
        ("tuner", &["fine-tune", "--features", "f", "--runs", "0", "--json"], 2, "--runs must be 1 or more, not 0"),
        ("tuner", &["fine-tune", "--features", "f", "--join", "a.onnx", "--json"], 2, "--joined-out"),
        ("profiler", &["zebra", "--json"], 2, "zebra"),
        ("profiler", &["epoch", "--epoch", "-5", "--json"], 2, "--epoch must be 0 or more, not -5"),
        ("profiler", &["plan", "--profile", "none.parquet", "--json"], 1, "none.parquet"),
        ("profiler", &["recipe", "--config", &config], 2, "zebra"),
        ("storage-server", &["serve", "--data", ".", "--dataset", "d", "--memory", "1MiB", "--json"], 2, "--memory"),
    ];
    for (name, arguments, code, part) in cases {
        let said = run(name, arguments).unwrap();
        assert_eq!((said.code, said.stdout.as_str()), (Some(code), ""), "{arguments:?}: {}", said.stderr);
        let error = said.error().unwrap();
        assert_eq!(error["exit_code"], code, "{error}");
        assert!(error["causes"].is_array() && error.to_string().contains(part), "{part}: {error}");
    }
    let output =
        Command::new(program("tuner")).args(["extract", "--zebra"]).env("HEADWATER_JSON", "true").output().unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    assert!(serde_json::from_slice::<Value>(&output.stderr).unwrap()["error"].to_string().contains("--zebra"));
}

#[test]
fn check_config_says_everything_that_would_keep_a_server_from_starting() {
    let folder = TempDir::new().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let data = folder.path().display().to_string();
    std::fs::write(folder.path().join("no.onnx"), "no model").unwrap();
    let server = ["serve", "--check-config", "--dataset", "d", "--no-cache", "--metrics-port-file", "p"];
    let wrong = ["--memory", "1MiB", "--port-file", "none/port", "--model", "m=no.onnx,recipe=mobilenet-eval"];
    let arguments = [&server[..], &wrong, &["--data", "none", "--listen", &listen]].concat();
    let named = [
        "--metrics-port-file needs --metrics-listen",
        "--memory 1MiB is too little",
        "--data none cannot be read",
        &format!("--listen {listen} cannot be listened on"),
        "--port-file none/port cannot be written",
        "no.onnx",
    ];
    let said = run("storage-server", &arguments).unwrap();
    assert_eq!(said.code, Some(2), "{}", said.stderr);
    for part in named {
        let lines = said.stderr.lines().filter(|line| line.starts_with("error: ") && line.contains(part));
        assert_eq!(lines.count(), 1, "{part} in {}", said.stderr);
    }
    let json = run("storage-server", arguments.iter().chain(&["--json"])).unwrap();
    let dataset = &json.json().unwrap()["settings"]["serve.dataset"]["value"];
    assert_eq!((json.code, dataset[0].as_str()), (Some(2), Some("d")));
    let causes = json.error().unwrap()["causes"].clone();
    assert!(named.iter().all(|part| causes.to_string().contains(part)), "{causes}");

    let right = ["serve", "--check-config", "--dataset", "d", "--data", &data, "--listen", "127.0.0.1:0", "--no-cache"];
    run("storage-server", right).unwrap().success().unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "a check leaves nothing behind");
}

#[test]
fn check_config_looks_at_what_tools_read_and_write() {
    let cases: [(&[&str], &[&str]); 5] = [
        (
            &[
                "tuner",
                "fine-tune",
                "--features",
                "none",
                "--out",
                "none/head.onnx",
                "--join",
                "a",
                "--joined-out",
                "b/c",
            ],
            &["--features none", "--out none/head.onnx", "--join a", "--joined-out b/c"],
        ),
        (
            &[
                "tuner",
                "extract",
                "--servers",
                "a:1",
                "--dataset",
                "d",
                "--model",
                "m",
                "--out",
                "/dev/null/x",
                "--plan",
                "p",
            ],
            &["--plan: cannot read p", "--out /dev/null/x"],
        ),
        (
            &[
                "profiler",
                "fetch",
                "--servers",
                "a:1",
                "--dataset",
                "d",
                "--cut",
                "tensor",
                "--out",
                "/dev/null/x",
                "--recipe",
                "r",
            ],
            &["--recipe r", "--out /dev/null/x"],
        ),
        (
            &[
                "profiler",
                "epoch",
                "--servers",
                "a:1",
                "--dataset",
                "d",
                "--recipe",
                "imagenet-train",
                "--profile",
                "p",
            ],
            &["--profile p"],
        ),
        (&["profiler", "report", "--profile", "p", "--out", "none/r.html"], &["--profile p", "--out none/r.html"]),
    ];
    for (line, named) in cases {
        let said = run(line[0], line[1..].iter().chain(&["--check-config", "--json"])).unwrap();
        assert_eq!(said.code, Some(2), "{line:?}: {}", said.stderr);
        let error = said.error().unwrap().to_string();
        assert!(named.iter().all(|part| error.contains(part)), "{line:?}: {error}");
    }
}

#[test]
fn one_file_serves_every_program_and_its_paths_are_beside_it() {
    let folder = TempDir::new().unwrap();
    for made in ["photos", "features"] {
        std::fs::create_dir(folder.path().join(made)).unwrap();
    }
    let text = "log = \"warn\"\ndataset = \"photos\"\n\
                [serve]\ndata = \"photos\"\nlisten = \"127.0.0.1:0\"\nno-index = true\n\
                [fine-tune]\nfeatures = \"features\"\nout = \"head.onnx\"\n\
                [fetch]\nservers = [\"a:1\"]\ncut = \"tensor\"\nrecipe = \"imagenet-train\"\nout = \"samples\"\n";
    let config = folder.path().join("site.toml");
    std::fs::write(&config, text).unwrap();
    let check =
        |name: &str, command: &str| run(name, [command, "--check-config", "--config", config.to_str().unwrap()]);
    for (name, command) in [("storage-server", "serve"), ("tuner", "fine-tune"), ("profiler", "fetch")] {
        let said = check(name, command).unwrap().success().unwrap();
        assert!(said.stdout.contains(folder.path().to_str().unwrap()), "{name}: {}", said.stdout);
    }
    std::fs::write(&config, text.replace("features =", "featurs =")).unwrap();
    for (name, command) in [("storage-server", "serve"), ("tuner", "fine-tune"), ("profiler", "fetch")] {
        let said = check(name, command).unwrap();
        assert_eq!(said.code, Some(2), "{name}");
        assert!(
            said.stderr.contains("unknown key `fine-tune.featurs`; did you mean `fine-tune.features`?"),
            "{}",
            said.stderr
        );
    }
}

#[test]
fn variables_that_no_program_reads_are_warned_of() {
    let output = Command::new(program("profiler"))
        .args(["recipe", "--log-format", "text"])
        .envs([("HEADWATER_CPU_WROKERS", "7"), ("HEADWATER_CACHE_DIR", "/somewhere")])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && said.contains("HEADWATER_CPU_WROKERS; did you mean HEADWATER_CPU_WORKERS?"),
        "{said}"
    );
    assert!(!said.contains("HEADWATER_CACHE_DIR"), "{said}");
}

#[test]
fn settings_that_would_be_ignored_are_refused_with_the_fix() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().display().to_string();
    let serve = ["storage-server", "serve", "--dataset", "d", "--data", &data, "--listen", "127.0.0.1:0"];
    let extract = ["tuner", "extract", "--servers", "a:1", "--dataset", "d", "--model", "m", "--out", "o"];
    let in_bucket = ["storage-server", "serve", "--data", "s3://bucket", "--dataset", "d"];
    let fine_tune = ["tuner", "fine-tune", "--features", "f"];
    let dataset =
        ["profiler", "dataset", "--servers", "a:1", "--dataset", "d", "--out", "o", "--recipe", "imagenet-train"];
    let epoch = ["profiler", "epoch", "--servers", "a:1", "--dataset", "d", "--recipe", "imagenet-train"];
    let fetch = ["profiler", "fetch", "--servers", "a:1", "--dataset", "d", "--out", "o", "--recipe", "imagenet-train"];
    let cases: [(&[&str], &[&str], &str); 19] = [
        (&serve, &["--metrics-port-file", "p"], "--metrics-listen"),
        (&serve, &["--max-batch", "4"], "--model"),
        (&serve, &["--device", "cuda"], "--model"),
        (&serve, &["--s3-endpoint", "http://h"], "--data is on this machine"),
        (&in_bucket, &["--follow-links", "/srv"], "no dataset is on this machine"),
        (&extract, &["--extractor", "m.onnx"], "--plan"),
        (&extract, &["--overwrite", "--retry-failed"], "--overwrite"),
        (&fine_tune, &["--join", "m.onnx"], "--joined-out"),
        (&fine_tune, &["--joined-out", "j.onnx"], "--join"),
        (&fine_tune, &["--hidden", "64"], "--head mlp"),
        (&dataset, &["--extractor", "m.onnx"], "--model"),
        (&dataset, &["--samples", "5", "--precision", "0.1"], "--precision"),
        (&epoch, &["--halve-after", "5"], "--limit-bandwidth"),
        (&epoch, &["--mode", "no-off", "--allow-cuts", "encoded"], "--allow-cuts"),
        (&fetch, &["--cut", "encoded", "--wire-floats"], "--wire-floats"),
        (&fetch, &["--cut", "encoded", "--pixels", "lossless"], "--pixels"),
        (&fetch, &["--plan", "auto", "--model", "m"], "--model"),
        (&["profiler", "explain", "--profile", "p", "--plan", "q"], &["--sample", "1", "--key", "k"], "--key"),
        (&["profiler", "machine"], &["--device", "cuda"], "--model"),
    ];
    for (line, further, part) in cases {
        let said = run(line[0], line[1..].iter().chain(further)).unwrap();
        assert_eq!(said.code, Some(2), "{further:?}: {}", said.stderr);
        let names = |flag: &&str| flag.starts_with("--") && said.stderr.contains(flag);
        assert!(said.stderr.contains(part) && further.iter().any(names), "{further:?}: {}", said.stderr);
    }
}
