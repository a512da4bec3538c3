//! Tokens of an identity provider, end to end: roles by claim and by subject, keys that are rotated under an epoch, a
//! provider that is away, and no token in a log.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that panics has said what it found")]
#![expect(clippy::disallowed_methods, reason = "a rotation takes its time")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use headwater_testdata::Authority;
use headwater_testdata::identity::{SigningKey, Signs, TestProvider};
use headwater_tests::{Data, Run, ServerOptions, get_with, run};
use serde_json::{Value, json};

/// Photos, a provider with a key, and a server's certificate.
struct Setting {
    data: Data,
    key: SigningKey,
    idp: TestProvider,
}

// === impl Setting ===

impl Setting {
    fn new() -> Self {
        let (data, authority) = (Data::photos().unwrap(), Authority::new("ours").unwrap());
        authority.write(data.scratch.path(), "ca").unwrap();
        authority.issue(&["127.0.0.1"]).unwrap().write(data.scratch.path(), "server").unwrap();
        let key = SigningKey::new(Signs::Rs(256), "first").unwrap();
        let idp = TestProvider::start(&[&key]).unwrap();
        Self { data, key, idp }
    }

    fn at(&self, name: &str) -> String {
        self.data.scratch.path().join(name).display().to_string()
    }

    fn options(&self) -> ServerOptions {
        self.taking_tokens().args(["--tls-cert", &self.at("server.pem"), "--tls-key", &self.at("server.key")])
    }

    fn taking_tokens(&self) -> ServerOptions {
        let issuer = self.idp.issuer();
        let options = ServerOptions::new(&self.data.photos).args(["--oidc-issuer", &issuer]);
        options.args(["--oidc-audience", "headwater", "--oidc-refresh", "1s"])
    }

    /// A token of this subject with further claims, signed by a key, in a file; the file and the token.
    fn token(&self, key: &SigningKey, subject: &str, further: &Value) -> (PathBuf, String) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let mut claims = json!({"iss": self.idp.issuer(), "aud": "headwater", "sub": subject, "exp": now + 600});
        claims.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
        let token = key.token(&claims).unwrap();
        let file = self.data.scratch.path().join(format!("{}.jwt", subject.replace(':', "-")));
        put(&file, &token);
        (file, token)
    }

    fn fetch(&self, servers: &str, token: &Path, further: &[&str]) -> Run {
        let (out, ca, token) = (self.at("out"), self.at("ca.pem"), token.display().to_string());
        let fixed = ["fetch", "--servers", servers, "--dataset", "photos", "--cut", "encoded", "--json"];
        let with = ["--recipe", "imagenet-eval", "--out", &out, "--tls-ca", &ca, "--token-file", &token];
        run("profiler", [&fixed[..], &with, further].concat()).unwrap()
    }
}

/// Writes a token as a provider's agent does: whole or not at all.
fn put(file: &Path, token: &str) {
    let beside = file.with_extension("new");
    fs::write(&beside, token).unwrap();
    fs::rename(&beside, file).unwrap();
}

fn samples(run: Run) -> u64 {
    let summary: Value = run.success().unwrap().json().unwrap();
    assert_eq!(summary["failed"].as_u64(), Some(0), "{summary}");
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
fn a_token_is_good_for_the_roles_of_its_claim_and_of_its_subjects_lines_and_is_in_no_log() {
    let setting = Setting::new();
    let pod = "system:serviceaccount:ml:trainer";
    fs::write(setting.at("tokens"), format!("nightly read photos sub:{pod}\n")).unwrap();
    let (log, state) = (setting.data.scratch.path().join("log"), setting.at("state"));
    let server = setting.options().args(["--tokens", &setting.at("tokens"), "--state", &state]).log(&log);
    let server = server.args(["--oidc-roles-claim", "realm_access.roles"]);
    let server = server.variable("HEADWATER_LOG", "trace").start().unwrap();
    let address = server.address();
    let roles = |roles: &[&str]| json!({"azp": "notebook", "realm_access": {"roles": roles}});
    let token = |subject: &str, further: &Value| setting.token(&setting.key, subject, further);
    let good = [
        token("reader", &roles(&["offline_access", "headwater:read:photos"])),
        token("writer", &roles(&["headwater:write"])),
        token(pod, &json!({})),
    ];
    for (file, _) in &good {
        assert!(samples(setting.fetch(&address, file, &["--indices", "0-9"])) == 10);
    }
    let bad = [
        (token("stranger", &json!({})), &["sub:stranger", "realm_access.roles", "headwater:read", "sub:SUBJECT"][..]),
        (token("owner", &roles(&["headwater:owner"])), &["sub:owner", "headwater:owner", "no role"]),
        (token("guest", &roles(&["headwater:read:cars"])), &["sub:guest,client:notebook", "dataset photos"]),
        (token("late", &json!({"exp": 1})), &["expired", "--token-file"]),
        (token("early", &json!({"nbf": 9_000_000_000_u64})), &["not valid for another", "clocks"]),
        (token("other", &json!({"aud": "another"})), &["--oidc-audience"]),
        (token("foreign", &json!({"iss": "https://id.example.com"})), &["--oidc-issuer"]),
    ];
    for ((file, _), words) in &bad {
        refused(&setting.fetch(&address, file, &["--indices", "0"]), words);
    }
    let strange = setting.token(&SigningKey::new(Signs::Rs(256), "first").unwrap(), "forger", &json!({}));
    refused(&setting.fetch(&address, &strange.0, &["--indices", "0"]), &["signature is wrong"]);

    let model = format!("m={},recipe={}", setting.data.model.display(), setting.data.recipe);
    let push = |token: &Path| {
        let (ca, token) = (setting.at("ca.pem"), token.display().to_string());
        let fixed = ["push", "--servers", &address, "--model", &model, "--tls-ca", &ca, "--token-file", &token];
        run("tuner", fixed).unwrap()
    };
    refused(&push(&good[0].0), &["sub:reader", "role read", "takes write", "realm_access.roles"]);
    push(&good[1].0).success().unwrap();
    // A line that is taken out gives nothing from the next call on.
    fs::write(setting.at("tokens"), "nightly read photos sub:another\n").unwrap();
    refused(&setting.fetch(&address, &good[2].0, &["--indices", "0"]), &[pod, "no role"]);

    let said = fs::read_to_string(&log).unwrap();
    let shown = good.iter().chain(bad.iter().map(|(token, _)| token)).chain([&strange]);
    for (_, token) in shown {
        for part in token.split('.').skip(1) {
            assert!(!said.contains(part), "a part of a token is in the log");
        }
    }
    let audit: Vec<_> = said.lines().filter(|line| line.contains("headwater::audit")).collect();
    let has = |words: &[&str]| audit.iter().any(|line| words.iter().all(|word| line.contains(word)));
    assert!(has(&["PushPieces", "sub:writer,client:notebook"]), "{audit:#?}");
    assert!(has(&["BeginPush", "sub:reader", "refused"]) && has(&["sub:stranger", "refused"]), "{audit:#?}");
}

#[test]
fn a_key_and_its_tokens_are_rotated_under_an_epoch_and_no_call_fails() {
    let setting = Setting::new();
    let server = setting.options().start().unwrap();
    let roles = json!({"roles": "headwater:read"});
    let (file, mut before) = setting.token(&setting.key, "trainer", &roles);
    let done = AtomicBool::new(false);
    let (epochs, rotations) = std::thread::scope(|scope| {
        let trainer = scope.spawn(|| {
            let mut epochs = 0;
            while !done.load(Ordering::SeqCst) {
                assert!(samples(setting.fetch(&server.address(), &file, &[])) > 0);
                epochs += 1;
            }
            epochs
        });
        let mut old = SigningKey::new(Signs::Es256, "key 0").unwrap();
        let mut rotations = 0;
        while rotations < 4 && !trainer.is_finished() {
            let new = SigningKey::new(Signs::Es256, &format!("key {}", rotations + 1)).unwrap();
            // The new key is shown, then used; the old one is taken away once nobody uses it.
            setting.idp.show(&[&old, &new]);
            std::thread::sleep(Duration::from_millis(300));
            before = setting.token(&new, "trainer", &roles).1;
            setting.idp.show(&[&new]);
            std::thread::sleep(Duration::from_millis(1500));
            (old, rotations) = (new, rotations + 1);
        }
        done.store(true, Ordering::SeqCst);
        (trainer.join().unwrap(), rotations)
    });
    println!("{rotations} rotations in {epochs} epochs");
    assert_eq!(rotations, 4);

    // A token whose key is gone is good for nothing within the refresh.
    setting.idp.show(&[&setting.key]);
    let rotated = Instant::now();
    put(&file, &before);
    loop {
        let fetched = setting.fetch(&server.address(), &file, &["--indices", "0"]);
        if fetched.code != Some(0) {
            refused(&fetched, &["key that the identity provider does not have", "--token-file"]);
            break;
        }
        assert!(rotated.elapsed() < Duration::from_secs(15), "the old key is still taken");
    }
}

#[test]
fn a_token_that_expires_within_an_epoch_is_read_anew_from_its_file() {
    let setting = Setting::new();
    let server = setting.taking_tokens().arg("--insecure").metrics().start().unwrap();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    // Over in a few seconds, the leeway of half a minute included.
    let short = json!({"roles": "headwater:read", "exp": now - 26});
    let (file, _) = setting.token(&setting.key, "trainer", &short);
    let (token, address) = (file.display().to_string(), server.address());
    let epoch = || {
        let fixed = ["epoch", "--servers", &address, "--dataset", "photos", "--mode", "no-off", "--json"];
        let slow = ["--recipe", "imagenet-train", "--limit-bandwidth", "10Mbps", "--batch-size", "4"];
        run("profiler", [&fixed[..], &slow, &["--token-file", &token]].concat()).unwrap()
    };
    let began = Instant::now();
    let (_, renewed) = setting.token(&setting.key, "renewed", &json!({"roles": "headwater:read"}));
    let renewing = {
        let (file, renewed) = (file.clone(), renewed.clone());
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_secs(2));
            put(&file, &renewed);
        })
    };
    let came = epoch();
    renewing.join().unwrap();
    came.success().unwrap();
    println!("an epoch of {:?} with a token of 4 s", began.elapsed());
    // Both tokens came, and neither was refused to the end.
    let bearer = format!("Authorization: Bearer {renewed}");
    let page = get_with(&server.metrics_address().unwrap(), "/metrics", &[&bearer]).unwrap();
    let verified = page.lines().find(|line| line.starts_with("headwater_oidc_tokens_total{outcome=\"verified\"}"));
    assert!(verified.is_some_and(|line| line.ends_with(" 2")), "{verified:?}");
    assert!(began.elapsed() > Duration::from_secs(5), "the first token was good to the end");
    // Without a new one, the error names the file's setting.
    setting.token(&setting.key, "trainer", &json!({"roles": "headwater:read", "exp": now - 60}));
    refused(&epoch(), &["expired", "--token-file"]);
}

#[test]
fn a_provider_that_is_away_at_the_start_is_waited_for_and_another_one_is_not() {
    let setting = Setting::new();
    setting.idp.fail(Some(503));
    let log = setting.data.scratch.path().join("log");
    let options = setting.options().log(&log).variable("HEADWATER_LOG", "info");
    let starting = std::thread::spawn(move || options.start());
    while setting.idp.asked().len() < 2 {
        std::thread::sleep(Duration::from_millis(20));
        assert!(!starting.is_finished());
    }
    setting.idp.fail(None);
    let server = starting.join().unwrap().unwrap();
    let (file, _) = setting.token(&setting.key, "trainer", &json!({"roles": "headwater:read"}));
    assert_eq!(samples(setting.fetch(&server.address(), &file, &["--indices", "0-4"])), 5);
    // Away while it serves: trusted on.
    setting.idp.fail(Some(503));
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(samples(setting.fetch(&server.address(), &file, &["--indices", "0-4"])), 5);
    let said = fs::read_to_string(&log).unwrap();
    let times = |words: &str| said.lines().filter(|line| line.contains(words)).count();
    assert_eq!(times("the identity provider gives no keys"), 1, "{said}");
    assert_eq!(times("the identity provider is away"), 1, "{said}");

    setting.idp.fail(None);
    setting.idp.configure(json!({"issuer": "https://id.example.com", "jwks_uri": setting.idp.keys()}).to_string());
    let (data, issuer) = (setting.data.photos.display().to_string(), setting.idp.issuer());
    let serve = ["serve", "--data", &data, "--dataset", "photos", "--listen", "127.0.0.1:0", "--no-cache"];
    let with = ["--insecure", "--oidc-issuer", &issuer, "--oidc-audience", "headwater"];
    let other = run("storage-server", [&serve[..], &with].concat()).unwrap();
    refused(&other, &["--oidc-issuer", "calls itself https://id.example.com"]);
}

#[test]
fn settings_are_shown_without_secrets_and_what_does_not_go_together_is_refused() {
    let setting = Setting::new();
    let data = setting.data.photos.display().to_string();
    let serve = |further: &[&str]| {
        let fixed = ["serve", "--data", &data, "--dataset", "photos", "--listen", "127.0.0.1:0", "--no-cache"];
        run("storage-server", [&fixed[..], &["--check-config", "--json"], further].concat()).unwrap()
    };
    let (file, token) = setting.token(&setting.key, "server", &json!({}));
    let file = file.display().to_string();
    let good = ["--oidc-issuer", "https://id.example.com", "--oidc-audience", "headwater", "--insecure"];
    let shown = serve(&[&good[..], &["--oidc-token-file", &file]].concat()).success().unwrap();
    assert!(shown.stdout.contains("https://id.example.com") && shown.stdout.contains("oidc"), "{}", shown.stdout);
    assert!(!format!("{}{}", shown.stdout, shown.stderr).contains(&token[..40]));
    fs::write(setting.at("tokens"), "a read * sub:b\n").unwrap();
    let tokens = setting.at("tokens");
    for (further, words) in [
        (&good[..2], &["--oidc-audience", "--insecure"][..]),
        (&good[..4], &["--oidc-issuer", "plain text", "--tls-cert"]),
        (&["--oidc-audience", "headwater"], &["--oidc-issuer"]),
        (&[&good[..], &["--oidc-ca", &file]].concat(), &["--oidc-ca"]),
        (&[&good[..], &["--oidc-token-file", "/nowhere"]].concat(), &["--oidc-token-file", "/nowhere"]),
        (&[&good[..], &["--peers", "a:1"]].concat(), &["--oidc-issuer with --peers", "--token-file"]),
        (&["--tokens", &tokens, "--insecure"], &["line 1", "--oidc-issuer"]),
    ] {
        let refused = serve(further);
        assert!(refused.code != Some(0), "{further:?}");
        for word in words {
            assert!(refused.stderr.contains(word), "{further:?}: {word:?} is not in {}", refused.stderr);
        }
    }
}
