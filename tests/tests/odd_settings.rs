//! No setting of any program, at whatever value, by flag, variable or file, panics it: what cannot be right is refused.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use headwater_tests::program;
use tempfile::TempDir;

/// Every setting: program, dotted key, variable.
const TABLE: &str = include_str!("../../crates/cli/src/settings/known.txt");

const ODD: [&str; 64] = [
    "",
    " ",
    "\n",
    "\t",
    "\u{7f}",
    "a\nb",
    " x ",
    "0",
    "-0",
    "-1",
    "1",
    "+1",
    "00",
    "1.5",
    "-1.5",
    "1e3",
    "1e308",
    "1e400",
    "NaN",
    "inf",
    "-inf",
    "0x10",
    "2147483648",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "18446744073709551615",
    "18446744073709551616",
    "1/0",
    "0/0",
    "1/1",
    "5/3",
    "true",
    "TRUE",
    "no",
    "[]",
    "{}",
    "\"",
    "'",
    "%s%n",
    "~",
    "..",
    "//",
    "é",
    "\u{202e}",
    "😀",
    ",",
    ":",
    "=",
    ":0",
    "[",
    "[::1]:0",
    "127.0.0.1:99999",
    "http:// a",
    "ftp://x",
    "s3://",
    "1XB",
    "99999999999TiB",
    "1Mbps",
    "0Mbps",
    "101%",
    "-x",
    "a=b,recipe=",
    "\\",
];

/// One setting at one value.
struct Trial {
    program: &'static str,
    table: &'static str,
    key: &'static str,
    variable: &'static str,
    value: &'static str,
    /// Flag, variable, or file.
    way: usize,
}

/// Each setting gets some of the values, each value by one way; with `HEADWATER_TEST_THOROUGH=1` each gets all by all.
#[test]
fn no_setting_at_any_value_panics_a_program() {
    let is_thorough = std::env::var_os("HEADWATER_TEST_THOROUGH").is_some();
    let trials = trials(if is_thorough { 1 } else { 31 });
    let threads = 4;
    let faults: Vec<String> = std::thread::scope(|scope| {
        let trials = &trials;
        let workers: Vec<_> = (0..threads)
            .map(|first| {
                scope.spawn(move || trials.iter().skip(first).step_by(threads).filter_map(Trial::fault).collect())
            })
            .collect();
        workers.into_iter().flat_map(|worker| -> Vec<String> { worker.join().unwrap() }).collect()
    });
    assert!(trials.len() > 400, "{}", trials.len());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// One of so many, in turn, of all.
fn trials(one_of: usize) -> Vec<Trial> {
    let mut all = Vec::new();
    for line in TABLE.lines() {
        let [program, dotted, variable]: [&str; 3] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let (table, key) = dotted.rsplit_once('.').unwrap_or(("", dotted));
        let ways = |value| (0..3).map(move |way| Trial { program, table, key, variable, value, way });
        all.extend(ODD.into_iter().flat_map(ways));
    }
    // A stride that has nothing in common with the number of values or ways.
    all.into_iter().step_by(one_of).collect()
}

impl Trial {
    /// What went wrong: the program as it checks its settings, and as it runs where it finds them sound.
    fn fault(&self) -> Option<String> {
        let folder = TempDir::new().unwrap();
        let inner = folder.path().join("a/b/c");
        std::fs::create_dir_all(&inner).unwrap();
        let mut checking = self.command(&inner);
        let output = checking.arg("--check-config").output().unwrap();
        let mut said = String::from_utf8_lossy(&output.stderr).into_owned();
        let mut code = output.status.code();
        if code == Some(0) {
            (code, said) = short_run(&mut self.command(&inner));
        }
        let is_bad = code == Some(101) || said.contains("panicked");
        let Self { program, table, key, value, way, .. } = self;
        is_bad.then(|| format!("{program} {table} {key} = {value:?} by way {way}: {said}"))
    }

    fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new(program(self.program));
        let subcommand = self.table.split('.').next().unwrap_or_default();
        let subcommand = match (subcommand, self.program) {
            ("", "storage-server") => "serve",
            ("", "tuner") => "extract",
            ("", _) => "recipe",
            (table, _) => table,
        };
        command.arg(subcommand).current_dir(folder).env_clear().env("HOME", folder).env("PATH", "/usr/bin:/bin");
        command.env("HEADWATER_CACHE_DIR", folder.join("index"));
        for (name, value) in sound(self.program, subcommand).iter().filter(|(name, _)| *name != self.key) {
            command.arg(format!("--{name}={value}"));
        }
        match self.way {
            0 => command.arg(format!("--{}={}", self.key, self.value)),
            1 => command.env(self.variable, self.value),
            _ => {
                let file = folder.join("settings.toml");
                let header = if self.table.is_empty() { String::new() } else { format!("[{}]\n", self.table) };
                // As it stands where that is TOML, and as text where not.
                let bare = format!("{header}{} = {}\n", self.key, self.value);
                let quoted = format!("{header}{} = {}\n", self.key, toml::Value::from(self.value));
                let text = if bare.parse::<toml::Table>().is_ok() { bare } else { quoted };
                std::fs::write(&file, text).unwrap();
                command.arg("--config").arg(file)
            }
        };
        command
    }
}

/// Settings without which a program does not begin.
fn sound(program: &str, subcommand: &str) -> &'static [(&'static str, &'static str)] {
    match (program, subcommand) {
        ("storage-server", "serve") => &[("data", "."), ("dataset", "d"), ("listen", "127.0.0.1:0")],
        ("storage-server", _) => &[("data", ".")],
        ("tuner", "extract") => &[("servers", "127.0.0.1:1"), ("dataset", "d"), ("model", "m"), ("out", "out")],
        ("tuner", _) => &[("features", "."), ("out", "out")],
        _ => &[],
    }
}

/// What a program says in half a second, and its exit code if it has ended by then.
fn short_run(command: &mut Command) -> (Option<i32>, String) {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    while child.try_wait().unwrap().is_none() && began.elapsed() < Duration::from_millis(500) {
        std::thread::park_timeout(Duration::from_millis(10));
    }
    let _ = child.kill();
    let mut said = String::new();
    let _ = child.stderr.take().unwrap().read_to_string(&mut said);
    (child.wait().unwrap().code(), said)
}

/// Ordinary mistakes with the variables of S3, one at a time: each refused at once, by its name.
#[test]
fn mistakes_with_the_variables_of_s3_are_refused_by_name() {
    for (variable, value, words) in [
        ("AWS_ENDPOINT_URL", "127.0.0.1:9000", "no scheme"),
        ("AWS_ENDPOINT_URL", "", "empty"),
        ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9000 ", "blank"),
        ("AWS_ACCESS_KEY_ID", "id\n", "line break"),
        ("AWS_SESSION_TOKEN", "a\nb", "line break"),
        ("AWS_SECRET_ACCESS_KEY", "secret\n", "line break"),
        ("AWS_REGION", "eu west", "no region"),
    ] {
        let said = serve_bucket(&[(variable, value)]);
        assert!(said.contains(variable) && said.contains(words), "{variable}={value:?}: {said}");
    }
    let said = serve_bucket(&[("HEADWATER_S3_ENDPOINT", "minio:9000")]);
    assert!(said.contains("HEADWATER_S3_ENDPOINT") && said.contains("write https://minio:9000"), "{said}");
}

/// Nothing else tells of a proxy.
#[test]
fn a_proxy_in_front_of_a_store_on_this_machine_is_named_with_the_way_around_it() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let endpoint = ("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    let said = serve_bucket(&[endpoint, ("HTTP_PROXY", &format!("http://user:hush@{closed}"))]);
    assert!(said.contains(&format!("the proxy {closed} that HTTP_PROXY names")), "{said}");
    assert!(said.contains("add 127.0.0.1 to NO_PROXY") && !said.contains("hush"), "{said}");
    let said = serve_bucket(&[endpoint, ("HTTP_PROXY", &format!("http://{closed}")), ("NO_PROXY", "127.0.0.1")]);
    assert!(!said.contains("proxy"), "{said}");
}

/// What a server of a bucket says that must not start.
fn serve_bucket(variables: &[(&str, &str)]) -> String {
    let index = TempDir::new().unwrap();
    let output = Command::new(program("storage-server"))
        .args(["serve", "--data", "s3://bucket", "--dataset", "d", "--listen", "127.0.0.1:0", "--cache-dir"])
        .arg(index.path())
        .env_clear()
        .env("AWS_ACCESS_KEY_ID", "id")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(matches!(output.status.code(), Some(1 | 2)) && !said.contains("panicked"), "{variables:?}: {said}");
    said
}
