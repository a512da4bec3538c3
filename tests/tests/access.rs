//! TLS and tokens, end to end: who may come in does, whoever may not is told why in words of the setting, certificates
//! are rotated under an epoch, and no secret is in a log.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that panics has said what it found")]
#![expect(clippy::disallowed_methods, reason = "a rotation takes its time")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use headwater_testdata::Authority;
use headwater_tests::{Data, Run, ServerOptions, run};
use serde_json::Value;

/// Photos, an authority, and the files that it takes to reach a server.
struct Setting {
    data: Data,
    authority: Authority,
}

// === impl Setting ===

impl Setting {
    fn new() -> Self {
        let (data, authority) = (Data::photos().unwrap(), Authority::new("ours").unwrap());
        let setting = Self { data, authority };
        setting.authority.write(setting.path(), "ca").unwrap();
        setting.authority.issue(&["localhost", "127.0.0.1"]).unwrap().write(setting.path(), "server").unwrap();
        setting.authority.issue(&["trainer"]).unwrap().write(setting.path(), "client").unwrap();
        setting
    }

    fn path(&self) -> &Path {
        self.data.scratch.path()
    }

    fn at(&self, name: &str) -> String {
        self.path().join(name).display().to_string()
    }

    fn tls(&self) -> ServerOptions {
        let (cert, key) = (self.at("server.pem"), self.at("server.key"));
        ServerOptions::new(&self.data.photos).args(["--tls-cert", &cert, "--tls-key", &key])
    }

    /// A token that was made for somebody, in a file, with its line among the server's.
    fn token(&self, holder: &str, role: &str, datasets: &[&str]) -> (String, PathBuf) {
        let made = ["token", "--holder", holder, "--role", role, "--json"];
        let made = run("storage-server", [&made[..], datasets].concat()).unwrap().success().unwrap().json().unwrap();
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        let (file, tokens) = (self.path().join(format!("{holder}.token")), self.path().join("tokens"));
        fs::write(&file, text("token") + "\n").unwrap();
        let lines = fs::read_to_string(&tokens).unwrap_or_default();
        fs::write(&tokens, lines + &text("line") + "\n").unwrap();
        (text("token"), file)
    }
}

/// Fetches every photo as it is stored.
fn fetch(servers: &str, out: &Path, further: &[&str]) -> Run {
    let out = out.to_str().unwrap();
    let what = ["--cut", "encoded", "--recipe", "imagenet-eval", "--out", out, "--json"];
    let fixed = [&["fetch", "--servers", servers, "--dataset", "photos"][..], &what].concat();
    run("profiler", [&fixed[..], further].concat()).unwrap()
}

fn given(run: Run) -> u64 {
    let summary: Value = run.success().unwrap().json().unwrap();
    summary["samples"].as_u64().unwrap_or_else(|| panic!("{summary}"))
}

#[track_caller]
fn refused(run: &Run, words: &[&str]) {
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    for word in words {
        assert!(run.stderr.contains(word), "{word:?} is not in {}", run.stderr);
    }
}

#[test]
fn by_tls_the_same_comes_and_whoever_is_not_trusted_is_told_the_setting() {
    let setting = Setting::new();
    let (ca, out) = (setting.at("ca.pem"), |name: &str| setting.path().join(name));
    let plain = ServerOptions::new(&setting.data.photos).start().unwrap();
    let all = given(fetch(&plain.address(), &out("plain"), &[]));
    let server = setting.tls().start().unwrap();
    let address = server.address();
    let by_tls = ["--tls-ca", ca.as_str()];
    assert_eq!(given(fetch(&address, &out("tls"), &by_tls)), all);
    let listed = |folder: &str| {
        let mut names: Vec<_> = fs::read_dir(out(folder)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(listed("plain"), listed("tls"));
    for name in listed("tls").iter().filter(|name| *name != "samples.jsonl") {
        assert_eq!(fs::read(out("tls").join(name)).unwrap(), fs::read(out("plain").join(name)).unwrap(), "{name:?}");
    }

    refused(&fetch(&address, &out("x"), &[]), &["speaks TLS alone", "--tls-ca"]);
    refused(&fetch(&plain.address(), &out("x"), &by_tls), &["does not speak TLS", "--tls-cert"]);
    let stranger = Authority::new("others").unwrap().write(setting.path(), "others").unwrap().display().to_string();
    refused(&fetch(&address, &out("x"), &["--tls-ca", &stranger]), &["issued by none of those in --tls-ca"]);
    setting.authority.issue(&["node1"]).unwrap().write(setting.path(), "server").unwrap();
    refused(&fetch(&address, &out("x"), &by_tls), &["node1", "127.0.0.1", "--servers"]);
    setting.authority.issue_expired(&["127.0.0.1"]).unwrap().write(setting.path(), "server").unwrap();
    refused(&fetch(&address, &out("x"), &by_tls), &["has expired", "--tls-cert"]);
}

#[test]
fn where_clients_need_a_certificate_all_programs_show_theirs() {
    let setting = Setting::new();
    let ca = setting.at("ca.pem");
    let server = setting.tls().arg("--tls-client-ca").arg(&ca).start().unwrap();
    let address = server.address();
    let none = ["--tls-ca", ca.as_str()];
    refused(&fetch(&address, &setting.path().join("x"), &none), &["wants a certificate", "--tls-key"]);
    let (cert, key) = (setting.at("client.pem"), setting.at("client.key"));
    let own = ["--tls-ca", &ca, "--tls-cert", &cert, "--tls-key", &key];
    assert!(given(fetch(&address, &setting.path().join("out"), &own)) > 0);
    let status = [&["status", "--servers", &address][..], &own].concat();
    run("tuner", status).unwrap().success().unwrap();
    let reload = [&["reload", "--address", &address][..], &own].concat();
    run("storage-server", reload).unwrap().success().unwrap();
}

#[test]
fn a_token_is_good_for_its_role_and_datasets_and_is_in_no_log() {
    let setting = Setting::new();
    let (reader, reads) = setting.token("trainer", "read", &["--datasets", "photos"]);
    let (writer, writes) = setting.token("pusher", "write", &[]);
    let (elsewhere, other) = setting.token("guest", "read", &["--datasets", "cars"]);
    let (log, ca) = (setting.path().join("log"), setting.at("ca.pem"));
    let state = setting.at("state");
    let server = setting.tls().args(["--tokens", &setting.at("tokens"), "--state", &state]).log(&log).metrics();
    let server = server.variable("HEADWATER_LOG", "trace").start().unwrap();
    let address = server.address();
    let with = |token: &Path| ["--tls-ca".into(), ca.clone(), "--token-file".into(), token.display().to_string()];
    let fetch_with = |token: &Path| {
        let with = with(token);
        fetch(&address, &setting.path().join("out"), &with.each_ref().map(String::as_str))
    };
    assert!(given(fetch_with(&reads)) > 0);
    refused(&fetch(&address, &setting.path().join("x"), &["--tls-ca", &ca]), &["asks for a token", "--token-file"]);
    refused(&fetch_with(&other), &["guest", "not for the dataset photos", "--tokens"]);
    let unknown = setting.path().join("unknown");
    fs::write(&unknown, "hw-0123456789abcdef0123456789abcdef").unwrap();
    refused(&fetch_with(&unknown), &["does not know this token"]);

    let model = format!("m={},recipe={}", setting.data.model.display(), setting.data.recipe);
    let push = |token: &Path| {
        let fixed = ["push", "--servers", &address, "--model", &model].map(str::to_owned);
        run("tuner", fixed.into_iter().chain(with(token))).unwrap()
    };
    refused(&push(&reads), &["trainer", "role read", "takes write"]);
    push(&writes).success().unwrap();

    // A token that is taken out of the file is good for nothing from the next call on.
    let tokens = fs::read_to_string(setting.path().join("tokens")).unwrap();
    let left: Vec<_> = tokens.lines().filter(|line| !line.starts_with("trainer")).collect();
    fs::write(setting.path().join("tokens"), left.join("\n")).unwrap();
    refused(&fetch_with(&reads), &["does not know this token"]);

    let said = fs::read_to_string(&log).unwrap();
    for secret in [&reader, &writer, &elsewhere] {
        assert!(!said.contains(secret.trim()), "a token is in the log");
    }
    let key = fs::read_to_string(setting.at("server.key")).unwrap();
    assert!(key.lines().filter(|line| line.len() > 40).all(|line| !said.contains(line)), "a key is in the log");
    let audit: Vec<_> = said.lines().filter(|line| line.contains("headwater::audit")).collect();
    let has = |words: &[&str]| audit.iter().any(|line| words.iter().all(|word| line.contains(word)));
    assert!(has(&["PushPieces", "pusher"]), "{audit:#?}");
    assert!(has(&["BeginPush", "trainer", "refused"]) && has(&["guest", "photos"]), "{audit:#?}");
    assert!(!has(&["Samples/Fetch", "trainer"]), "{audit:#?}");
}

#[test]
fn certificates_key_and_authority_are_rotated_under_an_epoch_and_no_call_fails() {
    rotate(60, Duration::from_millis(5), "20Mbps");
}

/// So many are asked for by the variable ROTATIONS.
#[test]
#[ignore = "minutes: scripts/torture rotations"]
fn a_thousand_rotations_under_epochs_fail_no_call() {
    let times = std::env::var("ROTATIONS").map_or(1000, |text| text.parse().unwrap());
    rotate(times, Duration::from_millis(100), "500kbps");
}

/// Rotates the authority of both ends, and the certificates and keys that it issues to both, so many times, with a
/// pause behind each, while one epoch follows the other and another one is as slow as `bandwidth`.
fn rotate(times: u32, pause: Duration, bandwidth: &str) {
    let setting = Setting::new();
    let [ca, cert, key] = ["ca.pem", "client.pem", "client.key"].map(|name| setting.at(name));
    let server = setting.tls().arg("--tls-client-ca").arg(&ca).start().unwrap();
    let (address, out, done) = (server.address(), setting.path().join("out"), AtomicBool::new(false));
    let by_tls = ["--tls-ca", &ca, "--tls-cert", &cert, "--tls-key", &key];
    let slow = ["--mode", "jpeg-crop", "--limit-bandwidth", bandwidth, "--streams", "1", "--json"];
    let fixed = ["epoch", "--servers", &address, "--dataset", "photos", "--recipe", "imagenet-train"];
    let slow = [&fixed[..], &slow, &by_tls].concat();
    let (turns, short, long) = std::thread::scope(|scope| {
        let turns = scope.spawn(|| rotations(setting.path(), times, pause, &done));
        let short = scope.spawn(|| epochs(&done, || fetch(&address, &out, &by_tls)));
        let long = scope.spawn(|| epochs(&done, || run("profiler", &slow).unwrap()));
        (turns.join().unwrap(), short.join().unwrap(), long.join().unwrap())
    });
    assert_eq!(turns, times);
    println!("{times} rotations in {short} epochs, and {long} that were slow beside them: no call failed");
}

/// Says to the others that this one has ended, whatever has ended it.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Rotates so many times, or until another has ended; how many times.
fn rotations(folder: &Path, times: u32, pause: Duration, done: &AtomicBool) -> u32 {
    let _ends = Ends(done);
    let turn = |_: &u32| {
        let authority = Authority::new("next").unwrap();
        authority.issue(&["127.0.0.1"]).unwrap().write(folder, "server").unwrap();
        authority.write(folder, "ca").unwrap();
        authority.issue(&["trainer"]).unwrap().write(folder, "client").unwrap();
        std::thread::sleep(pause);
        !done.load(Ordering::SeqCst)
    };
    (1..=times).take_while(turn).last().unwrap_or_default()
}

/// One epoch after the other until another has ended, one at least; how many.
fn epochs(done: &AtomicBool, epoch: impl Fn() -> Run) -> u32 {
    let (_ends, mut ended) = (Ends(done), 0);
    while ended == 0 || !done.load(Ordering::SeqCst) {
        let summary = epoch().success().unwrap().json().unwrap();
        assert_eq!(summary["failed"].as_u64(), Some(0), "{summary}");
        ended += 1;
    }
    ended
}

#[test]
fn servers_reach_each_other_by_tls_and_token() {
    let setting = Setting::new();
    let (_, file) = setting.token("servers", "read", &[]);
    let ca = setting.at("ca.pem");
    let (token, tokens) = (file.display().to_string(), setting.at("tokens"));
    let serve = |peers: &str, name: &str| {
        let options = setting.tls().args(["--tls-ca", &ca, "--token-file", &token, "--tokens", &tokens]);
        options.args(["--peers", peers, "--peer-name", name]).metrics()
    };
    let first = serve("127.0.0.1:1", "a").start().unwrap();
    let second = serve(&first.address(), "b").start().unwrap();
    let out = setting.path().join("out");
    let with = ["--tls-ca", &ca, "--token-file", &token];
    assert!(given(fetch(&second.address(), &out, &with)) > 0);
}

#[test]
fn what_would_be_open_to_the_network_takes_a_word_for_it() {
    let setting = Setting::new();
    let data = setting.data.photos.display().to_string();
    let serve = |further: &[&str]| {
        let fixed = ["serve", "--data", &data, "--dataset", "photos", "--check-config"];
        run("storage-server", [&fixed[..], further].concat()).unwrap()
    };
    let (cert, key) = (setting.at("server.pem"), setting.at("server.key"));
    setting.token("a", "read", &[]);
    let tokens = setting.at("tokens");
    for (further, words) in [
        (&["--listen", "0.0.0.0:0"][..], &["--listen 0.0.0.0:0", "--insecure"][..]),
        (&["--metrics-listen", "[::]:0"], &["--metrics-listen", "--insecure"]),
        (&["--tokens", &tokens], &["--tokens", "--insecure"]),
        (&["--tls-cert", &cert], &["--tls-key"]),
        (&["--tls-client-ca", &cert], &["--tls-cert"]),
        (&["--tls-cert", &key, "--tls-key", &key], &["--tls-cert", "no certificate in PEM"]),
        (&["--tls-cert", &cert, "--tls-key", &key, "--peers", "a:1"], &["--tls-ca"]),
    ] {
        let refused = serve(further);
        assert!(refused.code != Some(0), "{further:?}");
        for word in words {
            assert!(refused.stderr.contains(word), "{further:?}: {word:?} is not in {}", refused.stderr);
        }
    }
    for further in [
        &["--listen", "0.0.0.0:0", "--insecure"][..],
        &["--listen", "127.0.0.1:0", "--tokens", &tokens, "--insecure"],
        &["--listen", "0.0.0.0:0", "--tls-cert", &cert, "--tls-key", &key, "--tokens", &tokens],
    ] {
        serve(further).success().unwrap();
    }
}
