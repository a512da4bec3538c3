//! A provider that rotates its keys, is away, is slow, lies or is asked by a storm: what a server makes of it.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use headwater_access::{ServerTls, ServerTlsFiles};
use headwater_identity::{Expected, IdentityError, OidcSettings, Provider, Refused};
use headwater_testdata::Authority;
use headwater_testdata::identity::{SigningKey, Signs, TestProvider};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

fn settings(issuer: &str) -> OidcSettings {
    OidcSettings {
        expected: Expected {
            issuer: issuer.parse().unwrap(),
            audience: "headwater".to_owned(),
            roles: "roles".parse().unwrap(),
        },
        jwks: None,
        ca: None,
        token_file: None,
        insecure: false,
        refresh: Duration::from_secs(1),
        keep: Duration::from_secs(3600),
    }
}

fn begin(settings: OidcSettings) -> (Arc<Provider>, JoinHandle<IdentityError>) {
    let provider = Arc::new(Provider::new(settings).unwrap());
    let asking = Arc::clone(&provider);
    (provider, tokio::spawn(async move { asking.run().await }))
}

async fn ready(provider: &Provider) {
    timeout(Duration::from_secs(30), provider.ready(|_| ())).await.unwrap();
}

fn token(key: &SigningKey, issuer: &str) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let claims = json!({"iss": issuer, "aud": "headwater", "sub": "a", "exp": now + 300, "roles": "headwater:read"});
    key.token(&claims).unwrap()
}

fn key(id: &str) -> SigningKey {
    SigningKey::new(Signs::Es256, id).unwrap()
}

#[tokio::test]
async fn a_rotated_key_is_refused_within_a_refresh_and_a_new_one_taken_at_once() {
    let (old, new) = (key("old"), key("new"));
    let idp = TestProvider::start(&[&old]).unwrap();
    let issuer = idp.issuer();
    let (provider, asking) = begin(settings(&issuer));
    ready(&provider).await;
    let (before, after) = (token(&old, &issuer), token(&new, &issuer));
    provider.identify(before.as_bytes()).await.unwrap();
    provider.identify(before.as_bytes()).await.unwrap();
    assert_eq!(provider.counts().tokens, [("verified", 1), ("known", 1), ("refused", 0)]);

    idp.show(&[&new]);
    let rotated = Instant::now();
    while provider.identify(before.as_bytes()).await.is_ok() {
        assert!(rotated.elapsed() < Duration::from_secs(5), "the old key is still taken");
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(provider.identify(before.as_bytes()).await, Err(Refused::UnknownKey));
    provider.identify(after.as_bytes()).await.unwrap();
    println!("refused {:?} after it was rotated out", rotated.elapsed());
    asking.abort();
}

#[tokio::test]
async fn a_storm_of_unknown_keys_is_one_question_and_a_key_that_has_come_is_found_by_it() {
    let (old, new, nobody) = (key("old"), key("new"), key("nobody"));
    let idp = TestProvider::start(&[&old]).unwrap();
    let issuer = idp.issuer();
    let mut slow = settings(&issuer);
    slow.refresh = Duration::from_secs(600);
    let (provider, asking) = begin(slow);
    ready(&provider).await;
    assert_eq!(idp.times(), 1);
    // So soon after a question there is no other.
    assert_eq!(provider.identify(token(&nobody, &issuer).as_bytes()).await, Err(Refused::UnknownKey));
    assert_eq!(idp.times(), 1);
    sleep(headwater_types::caps::OIDC_AGAIN).await;
    idp.show(&[&old, &new]);
    idp.delay(Duration::from_millis(100));
    let tokens = (0..400).map(|number| token(if number % 2 == 0 { &new } else { &nobody }, &issuer));
    let calls: Vec<_> = tokens
        .map(|token| {
            let provider = Arc::clone(&provider);
            tokio::spawn(async move { provider.identify(token.as_bytes()).await.is_ok() })
        })
        .collect();
    let mut taken = 0;
    for call in calls {
        taken += usize::from(call.await.unwrap());
    }
    assert_eq!((taken, idp.times()), (200, 2));
    asking.abort();
}

#[tokio::test]
async fn a_provider_that_is_away_is_trusted_on_for_its_time_and_then_not() {
    let one = key("a");
    let idp = TestProvider::start(&[&one]).unwrap();
    let issuer = idp.issuer();
    let mut short = settings(&issuer);
    short.keep = Duration::from_secs(3);
    let (provider, asking) = begin(short);
    ready(&provider).await;
    let token = token(&one, &issuer);
    idp.fail(Some(503));
    sleep(Duration::from_secs(2)).await;
    provider.identify(token.as_bytes()).await.unwrap();
    let over = async {
        loop {
            if let Err(refused) = provider.identify(token.as_bytes()).await {
                return refused;
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    let refused = timeout(Duration::from_secs(10), over).await.unwrap();
    assert!(matches!(refused, Refused::OldKeys { .. }) && refused.to_string().contains("--oidc-keep-keys"));
    idp.fail(None);
    timeout(Duration::from_secs(10), async {
        while provider.identify(token.as_bytes()).await.is_err() {
            sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .unwrap();
    assert!(provider.counts().refreshes[2].1 > 0);
    asking.abort();
}

/// Waits for a question that failed.
async fn failed(provider: &Provider) {
    while provider.counts().refreshes[2].1 == 0 {
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn what_a_provider_says_wrongly_is_said_and_changes_nothing() {
    let one = key("a");
    let idp = TestProvider::start(&[&one]).unwrap();
    let issuer = idp.issuer();
    let trouble = async |prepare: &dyn Fn()| {
        prepare();
        let provider = Provider::new(settings(&issuer)).unwrap();
        let mut said = Vec::new();
        let asked = async {
            tokio::select! {
                lasting = provider.run() => lasting.to_string(),
                () = provider.ready(|words| said.push(words)) => "ready".to_owned(),
                () = failed(&provider) => {
                    provider.identify(b"e30.e30.e30").await.unwrap_err().to_string()
                }
            }
        };
        let found = timeout(Duration::from_secs(20), asked).await.unwrap();
        idp.fail(None);
        idp.show(&[&one]);
        idp.configure(json!({"issuer": issuer, "jwks_uri": idp.keys()}).to_string());
        found
    };
    let cases: [(&dyn Fn(), &[&str]); 11] = [
        (&|| (), &["ready"]),
        (&|| idp.fail(Some(404)), &["404", "--oidc-issuer", "--oidc-jwks"]),
        (&|| idp.fail(Some(401)), &["401", "--oidc-token-file"]),
        (&|| idp.fail(Some(302)), &["302", "redirects are not followed"]),
        (&|| idp.show_text("<html>hunter2"), &["/keys", "no set of keys"]),
        (&|| idp.show_text("x".repeat(300_000)), &["/keys", "longer than 262144 bytes"]),
        (&|| idp.configure("{}"), &["openid-configuration", "issuer and jwks_uri"]),
        (
            &|| idp.configure(json!({"issuer": issuer, "jwks_uri": "http://10.0.0.1/keys"}).to_string()),
            &["http://10.0.0.1/keys", "plain text"],
        ),
        (
            &|| idp.configure(json!({"issuer": issuer, "jwks_uri": "file:///etc/passwd"}).to_string()),
            &["jwks_uri cannot be used"],
        ),
        (
            &|| idp.configure(json!({"issuer": "https://evil\n.example.com", "jwks_uri": idp.keys()}).to_string()),
            &["--oidc-issuer", "calls itself https://evil%0A.example.com"],
        ),
        (&|| idp.delay(Duration::from_secs(6)), &["no answer within 5 s"]),
    ];
    for (prepare, words) in cases {
        let said = trouble(prepare).await;
        for word in words {
            assert!(said.contains(word), "{word:?} is not in {said}");
        }
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[tokio::test]
async fn nobody_there_is_waited_for_and_lies_after_the_first_keys_change_nothing() {
    let one = key("a");
    let idp = TestProvider::start(&[&one]).unwrap();
    let issuer = idp.issuer();
    idp.fail(Some(503));
    let (provider, asking) = begin(settings(&issuer));
    let refused = provider.identify(token(&one, &issuer).as_bytes()).await.unwrap_err();
    assert!(matches!(refused, Refused::NoKeysYet { .. }), "{refused}");
    idp.fail(None);
    ready(&provider).await;
    let token = token(&one, &issuer);
    for lie in ["{\"keys\": []}".to_owned(), "{".to_owned()] {
        let failed = provider.counts().refreshes[2].1;
        idp.show_text(lie);
        while provider.counts().refreshes[2].1 == failed {
            sleep(Duration::from_millis(20)).await;
        }
        provider.identify(token.as_bytes()).await.unwrap();
    }
    let failed = provider.counts().refreshes[2].1;
    idp.configure(json!({"issuer": "https://evil.example.com", "jwks_uri": idp.keys()}).to_string());
    while provider.counts().refreshes[2].1 == failed {
        sleep(Duration::from_millis(20)).await;
    }
    provider.identify(token.as_bytes()).await.unwrap();
    assert!(!asking.is_finished());
    asking.abort();
}

#[tokio::test]
async fn the_servers_token_is_shown_to_the_issuer_and_to_a_place_that_was_named_alone() {
    let one = key("a");
    let (idp, elsewhere) = (TestProvider::start(&[&one]).unwrap(), TestProvider::start(&[&one]).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, "0123456789abcdef\n").unwrap();
    let shown = |idp: &TestProvider| idp.asked().iter().filter(|asked| asked.token.is_some()).count();
    idp.configure(json!({"issuer": idp.issuer(), "jwks_uri": elsewhere.keys()}).to_string());
    let mut with_token = settings(&idp.issuer());
    with_token.token_file = Some(file.clone());
    let (provider, asking) = begin(with_token.clone());
    ready(&provider).await;
    assert!(shown(&idp) == 1 && shown(&elsewhere) == 0 && elsewhere.times() == 1);
    asking.abort();
    elsewhere.fail(Some(403));
    let refused = Provider::new(with_token.clone()).unwrap();
    let mut said = String::new();
    let asked = async {
        tokio::select! {
            _ = refused.run() => {},
            () = refused.ready(|words| said = words) => {}
        }
    };
    assert!(timeout(Duration::from_secs(2), asked).await.is_err());
    assert!(said.contains("shown to the issuer's own server alone") && said.contains("--oidc-jwks"), "{said}");
    elsewhere.fail(None);
    with_token.jwks = Some(elsewhere.keys().parse().unwrap());
    fs::write(&file, "fedcba9876543210\n").unwrap();
    let (provider, asking) = begin(with_token);
    ready(&provider).await;
    assert_eq!(elsewhere.asked().last().unwrap().token.as_deref(), Some("Bearer fedcba9876543210"));
    asking.abort();
}

/// Answers by TLS what a provider on this machine answers.
async fn by_tls(tls: Arc<ServerTls>, listener: TcpListener, documents: [String; 2]) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        // Whoever does not trust it hangs up.
        let Ok(mut stream) = tls.accept(stream).await else { continue };
        let mut head = [0; 2048];
        let read = stream.read(&mut head).await.unwrap_or(0);
        let head = String::from_utf8_lossy(&head[..read]).into_owned();
        let body = &documents[usize::from(head.starts_with("GET /keys"))];
        let answer = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        drop(stream.write_all(answer.as_bytes()).await);
        drop(stream.shutdown().await);
    }
}

#[tokio::test]
async fn by_https_a_provider_is_trusted_by_its_authority_alone() {
    let (ours, others, one) = (Authority::new("ours").unwrap(), Authority::new("others").unwrap(), key("a"));
    let folder = tempfile::tempdir().unwrap();
    let (cert, key_file) = ours.issue(&["localhost"]).unwrap().write(folder.path(), "server").unwrap();
    let files = ServerTlsFiles { cert, key: key_file, client_ca: None };
    let tls = Arc::new(ServerTls::open(files, b"http/1.1").unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let configuration = json!({"issuer": issuer, "jwks_uri": format!("{issuer}/keys")}).to_string();
    let serving = tokio::spawn(by_tls(tls, listener, [configuration, SigningKey::document(&[&one])]));

    let mut trusting = settings(&issuer);
    trusting.ca = Some(others.write(folder.path(), "ca").unwrap());
    let (provider, asking) = begin(trusting.clone());
    let mut said = String::new();
    assert!(timeout(Duration::from_secs(2), provider.ready(|words| said = words)).await.is_err());
    assert!(said.contains("certificate") && said.contains("--oidc-ca"), "{said}");
    // The right authority, under the running task.
    ours.write(folder.path(), "ca").unwrap();
    ready(&provider).await;
    provider.identify(token(&one, &issuer).as_bytes()).await.unwrap();
    asking.abort();
    serving.abort();
    for (text, words) in [("", "no certificate in PEM"), ("-----BEGIN CERTIFICATE-----", "--oidc-ca")] {
        fs::write(trusting.ca.as_ref().unwrap(), text).unwrap();
        let error = Provider::new(trusting.clone()).unwrap_err().to_string();
        assert!(error.contains(words) && error.contains("--oidc-ca"), "{error}");
    }
}
