//! A server listens before it is ready, says what it is doing, and is waited for.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]
#![expect(clippy::disallowed_methods, reason = "what a process says is waited for")]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use headwater_tests::{Data, Logged, ServerOptions, eventually, fetch_stored, get, get_json, program, run};
use tonic::transport::Channel;

/// A pipe in place of a model's file: the server reads it once somebody writes.
fn pipe(folder: &Path) -> PathBuf {
    let path = folder.join("model.onnx");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

/// A server of these photos that waits for its model; what it says to systemd goes to `notify`.
fn waiting_for_a_model(data: &Data, model: &Path, folder: &Path) -> Logged {
    let mut command = Command::new(program("storage-server"));
    command.args(["serve", "--dataset", "photos", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"]);
    command.arg("--data").arg(&data.photos).arg("--port-file").arg(folder.join("port")).arg("--no-cache");
    command.arg("--model").arg(format!("model={},recipe={}", model.display(), data.recipe)).args(["--max-batch", "4"]);
    command.env("NOTIFY_SOCKET", folder.join("notify")).env("WATCHDOG_USEC", "200000").env_remove("WATCHDOG_PID");
    Logged::start(&mut command)
}

#[test]
fn what_a_server_does_while_it_starts_is_seen_and_clients_wait_for_it() {
    let data = Data::photos().unwrap();
    let folder = data.scratch.path().join("starting");
    std::fs::create_dir(&folder).unwrap();
    let systemd = UnixDatagram::bind(folder.join("notify")).unwrap();
    // Read as it comes: the kernel keeps ten words for whoever does not.
    let (notify, words) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 1000];
        while let Ok(bytes) = systemd.recv(&mut buffer) {
            let _ = notify.send(String::from_utf8_lossy(&buffer[..bytes]).into_owned());
        }
    });
    let model = pipe(&folder);
    let mut server = waiting_for_a_model(&data, &model, &folder);
    let (address, metrics) = (server.address("listening"), server.address("metrics"));

    eventually("a server that loads its model", || {
        get(&metrics, "/readyz").unwrap().contains("starting: loading model model\n").then_some(())
    });
    let ready = get(&metrics, "/readyz").unwrap();
    assert!(ready.starts_with("HTTP/1.1 503"), "{ready}");
    for live in ["/livez", "/healthz"] {
        assert!(get(&metrics, live).unwrap().starts_with("HTTP/1.1 200"), "{live}");
    }
    assert!(get(&metrics, "/").unwrap().contains("href=\"/metrics\""));
    let status = get_json(&metrics, "/status.json").unwrap();
    assert_eq!((&status["phase"], &status["ready"]), (&"starting: loading model model".into(), &false.into()));
    assert!(get(&metrics, "/metrics").unwrap().contains("headwater_connections 0"));
    assert!(!folder.join("port").exists());
    health_and_description(&address, 2, Some("starting: loading model model"));

    let out = folder.join("out");
    let mut client = Command::new(program("profiler"));
    client.args(["fetch", "--servers", &address, "--dataset", "photos", "--cut", "features", "--model", "model"]);
    let mut client = Logged::start(client.args(["--indices", "0-3", "--out"]).arg(&out).stdout(Stdio::null()));
    client.says("loading model model");
    std::fs::write(&model, std::fs::read(&data.model).unwrap()).unwrap();
    let code = client.code();
    assert_eq!(code, Some(0), "{}", client.log());
    assert!(out.join("3.npy").exists());
    assert!(get(&metrics, "/readyz").unwrap().starts_with("HTTP/1.1 200"));
    assert_eq!(std::fs::read_to_string(folder.join("port")).unwrap().trim(), address.rsplit_once(':').unwrap().1);
    health_and_description(&address, 1, None);

    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(server.end("TERM"), Some(0), "{}", server.log());
    let mut notified = Vec::new();
    while !notified.last().is_some_and(|last: &String| last.contains("STOPPING=1")) {
        notified.push(words.recv_timeout(Duration::from_secs(60)).unwrap_or_else(|_| panic!("no end in {notified:?}")));
    }
    let place = |words: &str| {
        notified.iter().position(|line| line.contains(words)).unwrap_or_else(|| panic!("no {words} in {notified:?}"))
    };
    let starting = place("STATUS=starting: loading model model\nEXTEND_TIMEOUT_USEC=");
    assert!(starting < place("READY=1") && place("READY=1") < place("STOPPING=1"), "{notified:?}");
    assert!(notified[place("READY=1")].contains("STATUS=serving"), "{notified:?}");
    place("WATCHDOG=1");
}

/// What gRPC says: health's status, and the words with which a description is refused, in a form for programs too.
#[tokio::main(flavor = "current_thread")]
async fn health_and_description(address: &str, status: i32, refused: Option<&str>) {
    use headwater_wire::proto::{DescribeRequest, datasets_client::DatasetsClient};
    use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
    let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
    for service in ["", "headwater.v1.Datasets", "headwater.v1.Samples", "headwater.v1.Losses", "headwater.v1.Reloads"]
    {
        let request = HealthCheckRequest { service: service.to_owned() };
        let found = HealthClient::new(channel.clone()).check(request).await.unwrap().into_inner().status;
        assert_eq!(found, status, "{service:?}");
    }
    let described = DatasetsClient::new(channel)
        .describe(DescribeRequest { dataset: "photos".to_owned(), digest: Default::default() })
        .await;
    match refused {
        None => assert!(described.is_ok()),
        Some(words) => {
            let refusal = described.unwrap_err();
            assert_eq!(refusal.code(), tonic::Code::Unavailable);
            assert!(refusal.message().starts_with(words), "{refusal}");
            assert_eq!(refusal.metadata().get("headwater-refusal").unwrap(), "starting");
        }
    }
}

#[test]
fn a_server_that_starts_can_be_stopped_and_one_that_cannot_start_ends_with_its_error() {
    let data = Data::photos().unwrap();
    let folder = data.scratch.path().join("starting");
    std::fs::create_dir(&folder).unwrap();
    let model = pipe(&folder);
    let mut server = waiting_for_a_model(&data, &model, &folder);
    eventually("a server that loads its model", || {
        get(&server.address("metrics"), "/readyz").unwrap().contains("loading model").then_some(())
    });
    assert_eq!(server.end("TERM"), Some(0), "{}", server.log());

    let mut server = waiting_for_a_model(&data, &model, &folder);
    server.address("listening");
    std::fs::write(&model, "no model").unwrap();
    let code = server.code();
    assert_eq!(code, Some(1), "{}", server.log());
    server.says("--model model");
}

#[test]
fn mistakes_in_settings_are_found_before_a_port_is_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let base = ["serve", "--data", "/nonexistent", "--dataset", "d", "--listen", &address];
    let said = |further: &[&str]| {
        let run = run("storage-server", base.iter().chain(further)).unwrap();
        assert_ne!(run.code, Some(0));
        run.stderr
    };
    assert!(said(&["--memory", "1MiB"]).contains("--memory"));
    assert!(said(&["--model", "m=x.onnx,recipe=nonsense"]).contains("nonsense"));
    assert!(said(&[]).contains(&address), "the port is taken");
}

#[test]
fn a_port_of_metrics_is_named_for_what_it_is() {
    let data = Data::photos().unwrap();
    let server = ServerOptions::new(&data.photos).metrics().arg("--no-cache").start().unwrap();
    let metrics = server.metrics_address().unwrap();
    let out = data.scratch.path().join("out");
    let arguments = ["fetch", "--servers", &metrics, "--dataset", "photos", "--cut", "encoded", "--recipe"];
    let refused =
        run("profiler", arguments.into_iter().chain(["imagenet-eval", "--out", out.to_str().unwrap()])).unwrap();
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    let words = format!("{metrics} is the metrics port of a storage server");
    assert!(refused.stderr.contains(&words) && refused.stderr.contains(&server.address()), "{}", refused.stderr);
}

#[test]
fn a_server_is_reached_by_its_name_and_port_alone() {
    let data = Data::photos().unwrap();
    let mut command = Command::new(program("storage-server"));
    command.args(["serve", "--dataset", "photos", "--listen", "localhost:0", "--no-cache", "--data"]).arg(&data.photos);
    let server = Logged::start(&mut command);
    let port = server.address("serving").rsplit_once(':').unwrap().1.to_owned();
    for address in [format!(":{port}"), format!("localhost:{port}"), format!("127.0.0.1:{port}")] {
        let network = ["network", "--servers", &address, "--dataset", "photos", "--seconds", "0.3"];
        let table = run("profiler", network).unwrap().success().unwrap().stdout;
        assert!(table.contains(&format!("localhost:{port}")) || table.contains(&address), "{table}");
        assert!(table.contains("1/1"), "{table}");
    }
}

/// A bucket of one photo, whose listing is answered once that is allowed.
struct SlowBucket {
    address: String,
    open: Arc<AtomicBool>,
}

// === impl SlowBucket ===

impl SlowBucket {
    fn start(photo: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, open) = (listener.local_addr().unwrap().to_string(), Arc::new(AtomicBool::new(false)));
        let opened = Arc::clone(&open);
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let (photo, opened) = (photo.clone(), Arc::clone(&opened));
                std::thread::spawn(move || Self::serve(connection, &photo, &opened));
            }
        });
        Self { address, open }
    }

    /// Requests without a body, one after the other, until the client has gone.
    fn serve(mut connection: TcpStream, photo: &[u8], open: &AtomicBool) -> Option<()> {
        loop {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                connection.read_exact(&mut byte).ok()?;
                head.push(byte[0]);
            }
            let listing = String::from_utf8_lossy(&head).lines().next()?.contains("list-type=2");
            if listing {
                eventually("leave to list", || open.load(Ordering::Relaxed).then_some(()));
            }
            let page = format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult \
                 xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                 <Name>bucket</Name><Prefix>photos/</Prefix><KeyCount>1</KeyCount>\
                 <MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>\
                 <Contents><Key>photos/a.jpg</Key>\
                 <LastModified>2024-01-01T00:00:00.000Z</LastModified><ETag>\"abc\"</ETag>\
                 <Size>{}</Size><StorageClass>STANDARD</StorageClass></Contents></ListBucketResult>",
                photo.len()
            );
            let body = if listing { page.as_bytes() } else { photo };
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nETag: \"abc\"\r\n\
                 Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            connection.write_all(answer.as_bytes()).ok()?;
            connection.write_all(body).ok()?;
        }
    }
}

#[test]
fn a_listing_that_takes_long_is_lived_through_and_waited_for() {
    let data = Data::photos().unwrap();
    let class = std::fs::read_dir(&data.photos).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.is_dir());
    let photo = std::fs::read_dir(class.unwrap()).unwrap().next().unwrap().unwrap().path();
    let bucket = SlowBucket::start(std::fs::read(photo).unwrap());
    let start = || {
        let mut server = Command::new(program("storage-server"));
        server.args(["serve", "--data", "s3://bucket/photos", "--dataset", "photos", "--no-cache"]);
        server.args(["--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"]);
        server.args(["--s3-endpoint", &format!("http://{}", bucket.address)]);
        let of_nobody = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"].map(|name| (name, "test"));
        Logged::start(server.envs(of_nobody))
    };
    let is_listing = |metrics: &str| {
        eventually("a server that lists", || {
            assert!(get(metrics, "/livez").unwrap().starts_with("HTTP/1.1 200"));
            let ready = get(metrics, "/readyz").unwrap();
            (ready.starts_with("HTTP/1.1 503") && ready.contains("listing s3://bucket/photos")).then_some(())
        });
    };

    let mut stopped = start();
    is_listing(&stopped.address("metrics"));
    assert_eq!(stopped.end("TERM"), Some(0), "{}", stopped.log());

    let mut server = start();
    let (address, metrics) = (server.address("listening"), server.address("metrics"));
    is_listing(&metrics);
    health_and_description(&address, 2, Some("starting: listing s3://bucket/photos, 0 files"));
    let mut client = Command::new(program("profiler"));
    client.args(fetch_stored(&address));
    client.arg("--out").arg(data.scratch.path().join("out")).stdout(Stdio::null());
    let mut client = Logged::start(&mut client);
    client.says("listing s3://bucket/photos");
    is_listing(&metrics);
    bucket.open.store(true, Ordering::Relaxed);
    assert_eq!(client.code(), Some(0), "{}\n{}", client.log(), server.log());
    assert!(get(&metrics, "/readyz").unwrap().starts_with("HTTP/1.1 200"));
    assert_eq!(server.end("TERM"), Some(0), "{}", server.log());
}
