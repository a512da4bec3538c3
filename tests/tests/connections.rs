//! Sockets that say nothing keep nobody out, on either port; a full server says so, and its clients come back.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that panics has said what it found")]
#![expect(clippy::disallowed_methods, reason = "what happens while somebody is silent is waited for")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use headwater_tests::{Data, Logged, eventually, get, program, run};
use headwater_wire::proto::{DescribeRequest, datasets_client::DatasetsClient};
use tonic::transport::Channel;
use tonic::{Code, Status};

/// HTTP/2's preface, and a frame of no settings.
const FIRST_WORDS: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";

struct Server {
    process: Logged,
    address: String,
    metrics: String,
}

// === impl Server ===

impl Server {
    fn start(photos: &Path, further: &[&str]) -> Self {
        let mut command = Command::new(program("storage-server"));
        command.args(["serve", "--dataset", "photos", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"]);
        command.args(["--no-cache", "--data"]).arg(photos).args(further);
        let process = Logged::start(&mut command);
        let (address, metrics) = (process.address("serving"), process.address("metrics"));
        Self { process, address, metrics }
    }

    fn value(&self, name: &str) -> u64 {
        let page = get(&self.metrics, "/metrics").unwrap();
        let value = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("no {name} in {page}")).parse().unwrap()
    }

    fn ended(&self, reason: &str) -> u64 {
        self.value(&format!("headwater_connections_ended_total{{reason=\"{reason}\"}}"))
    }

    /// Connections that have sent these bytes and send no more.
    fn silent(&self, number: usize, said: &[u8]) -> Vec<TcpStream> {
        let connect = |_| {
            let mut socket = TcpStream::connect(&self.address).unwrap();
            socket.write_all(said).unwrap();
            socket
        };
        (0..number).map(connect).collect()
    }

    /// `profiler fetch` of the first photos as they are stored.
    fn fetch(&self, out: &Path) -> Command {
        let mut command = Command::new(program("profiler"));
        command.args(["fetch", "--servers", &self.address, "--dataset", "photos", "--recipe", "imagenet-eval"]);
        command.args(["--cut", "encoded", "--indices", "0-9", "--json", "--out"]).arg(out);
        command.stdout(Stdio::null());
        command
    }
}

/// Connections that are in order, and do nothing; closed when dropped.
struct Holders {
    _end: tokio::sync::oneshot::Sender<()>,
}

// === impl Holders ===

impl Holders {
    fn new(address: &str, number: usize) -> Self {
        let (_end, ended) = tokio::sync::oneshot::channel();
        let (there, come) = std::sync::mpsc::channel();
        let address = address.to_owned();
        std::thread::spawn(move || hold(&address, number, &there, ended));
        come.recv().unwrap();
        Self { _end }
    }

    /// One connection, with a call that waits for something new.
    fn watching(address: &str) -> Self {
        let (_end, ended) = tokio::sync::oneshot::channel();
        let (there, come) = std::sync::mpsc::channel();
        let address = address.to_owned();
        std::thread::spawn(move || watch(&address, &there, ended));
        come.recv().unwrap();
        Self { _end }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn watch(address: &str, there: &std::sync::mpsc::Sender<()>, ended: tokio::sync::oneshot::Receiver<()>) {
    use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
    let mut client = HealthClient::new(channel(address).await);
    let mut news = client.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    news.message().await.unwrap();
    there.send(()).unwrap();
    let _ = ended.await;
}

/// Calls on one channel, between which the server closes its connection.
#[tokio::main(flavor = "current_thread")]
async fn calls_with_pauses(address: &str) {
    let mut client = DatasetsClient::new(channel(address).await);
    for _ in 0..3 {
        client.describe(DescribeRequest { dataset: "photos".to_owned(), digest: Default::default() }).await.unwrap();
        tokio::time::sleep(Duration::from_secs(4)).await;
    }
}

#[tokio::main(flavor = "current_thread")]
async fn hold(
    address: &str,
    number: usize,
    there: &std::sync::mpsc::Sender<()>,
    ended: tokio::sync::oneshot::Receiver<()>,
) {
    use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
    let mut channels = Vec::new();
    for _ in 0..number {
        let mut client = HealthClient::new(channel(address).await);
        client.check(HealthCheckRequest::default()).await.unwrap();
        channels.push(client);
    }
    there.send(()).unwrap();
    let _ = ended.await;
}

/// Whether the server has closed it, within the time that a test has.
fn is_closed(mut socket: &TcpStream) -> bool {
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut rest = Vec::new();
    match socket.read_to_end(&mut rest) {
        Ok(_) => true,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

#[test]
fn silent_sockets_take_no_place() {
    let data = Data::photos().unwrap();
    let server = Server::start(&data.photos, &["--max-connections", "4", "--handshake-timeout", "2"]);
    let half = [&FIRST_WORDS[..0], &FIRST_WORDS[..7], &FIRST_WORDS[..24], &FIRST_WORDS[..32]];
    let silent: Vec<_> = half.iter().flat_map(|said| server.silent(50, said)).collect();
    let out = data.scratch.path().join("out");
    let mut client = Logged::start(&mut server.fetch(&out));
    assert_eq!(client.code(), Some(0), "{}", client.log());
    assert!(silent.iter().all(is_closed));
    eventually("the count of silent sockets", || {
        (server.ended("handshake") > 0
            && server.ended("displaced") > 0
            && server.ended("handshake") + server.ended("displaced") == 200)
            .then_some(())
    });
    let warning = server.process.says("--handshake-timeout");
    assert!(warning.contains("\"limit_seconds\":2") && warning.contains("\"level\":\"WARN\""), "{warning}");
    let lines = server.process.log().lines().filter(|line| line.contains("WARN")).count();
    assert!(lines < 20, "{lines} lines:\n{}", server.process.log());
    assert_eq!((server.ended("full"), server.value("headwater_connections")), (0, 0));
}

#[test]
fn a_full_server_names_its_limit_and_clients_wait_for_a_place() {
    let data = Data::photos().unwrap();
    let server = Server::start(&data.photos, &["--max-connections", "2"]);
    let holders = Holders::new(&server.address, 2);
    assert_eq!(server.value("headwater_connections"), 2);

    let words = "all 2 connections that the server takes are in use, see --max-connections";
    for refusal in [described(&server.address), health(&server.address)] {
        assert_eq!((refusal.code(), refusal.message()), (Code::ResourceExhausted, words));
        assert_eq!(refusal.metadata().get("headwater-refusal").unwrap(), "full");
    }
    assert!(server.ended("full") >= 2);
    assert!(server.value("headwater_calls_refused_total{reason=\"full\"}") >= 2);
    assert!(server.process.says("--max-connections are in use").contains("\"limit\":2"));

    let mut impatient = Logged::start(&mut server.fetch(&data.scratch.path().join("none")));
    assert_eq!(impatient.code(), Some(1), "{}", impatient.log());
    let said = impatient.log();
    assert!(said.contains(words) && said.contains("had no place"), "{said}");

    let mut patient = Logged::start(&mut server.fetch(&data.scratch.path().join("out")));
    patient.says("server has no place yet");
    drop(holders);
    assert_eq!(patient.code(), Some(0), "{}", patient.log());
    assert!(data.scratch.path().join("out/9.npy").exists());
}

#[test]
fn a_client_that_holds_idle_connections_cedes_one_to_a_client_that_has_none() {
    let data = Data::photos().unwrap();
    let server = Server::start(&data.photos, &["--max-connections", "3"]);
    // All of 127.0.0.0/8 is this machine, and each address of it another client.
    let (_idle, _watching) = (Holders::new(&server.address, 2), Holders::watching(&server.address));
    assert_eq!(server.value("headwater_connections"), 3);
    assert_eq!(described(&server.address).code(), Code::ResourceExhausted);
    let mut other = from_elsewhere(&server.address);
    other.write_all(FIRST_WORDS).unwrap();
    eventually("the end of an idle one", || (server.ended("ceded") == 1).then_some(()));
    eventually("its place", || (server.value("headwater_connections") == 3).then_some(()));
    // One each is even, but for the one that waits, which has a call.
    let mut third = from_elsewhere(&server.address);
    third.write_all(FIRST_WORDS).unwrap();
    assert!(is_closed(&third));
    assert_eq!(server.ended("ceded"), 1);
}

#[test]
fn whoever_is_turned_away_does_not_stay() {
    let data = Data::photos().unwrap();
    let server = Server::start(&data.photos, &["--max-connections", "1"]);
    let _holder = server.silent(1, FIRST_WORDS);
    eventually("a connection", || (server.value("headwater_connections") == 1).then_some(()));
    let turned_away = server.silent(100, FIRST_WORDS);
    assert!(turned_away.iter().all(is_closed));
    assert_eq!(server.ended("full"), 100);
    eventually("their end", || (server.value("headwater_connections_turned_away") == 0).then_some(()));
    assert_eq!(described(&server.address).code(), Code::ResourceExhausted);
    let lines = server.process.log().lines().filter(|line| line.contains("--max-connections")).count();
    assert!(lines < 10, "{lines} lines for 101 connections");
}

#[test]
fn a_connection_without_a_call_is_closed_and_one_with_a_call_is_not() {
    let data = Data::photos().unwrap();
    let server = Server::start(&data.photos, &["--idle-timeout", "2", "--keepalive-timeout", "1"]);
    // Two answer pings: one has a call that says nothing, for as long as it is there.
    let (watching, _idle) = (Holders::watching(&server.address), Holders::new(&server.address, 1));
    eventually("the end of the idle one", || (server.ended("idle") > 0).then_some(()));
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(server.value("headwater_connections"), 1, "the watching one is gone");
    drop(watching);
    // Who was closed comes back as if nothing had been.
    calls_with_pauses(&server.address);
    assert!(server.process.says("--idle-timeout").contains("INFO"));
}

#[test]
fn who_answers_no_ping_is_gone() {
    let data = Data::photos().unwrap();
    let server = Server::start(&data.photos, &["--keepalive-timeout", "1"]);
    assert!(server.silent(3, FIRST_WORDS).iter().all(is_closed));
}

#[test]
fn streams_of_one_client_share_the_only_connection() {
    let data = Data::photos().unwrap();
    let server = Server::start(&data.photos, &["--max-connections", "1"]);
    let out = data.scratch.path().join("out");
    // The window is filled by one photo, so that each stream waits for the other's photos.
    let mut fetch = server.fetch(&out);
    fetch.args(["--streams", "3", "--window", "1"]);
    let mut client = Logged::start(&mut fetch);
    assert_eq!(client.code(), Some(0), "{}", client.log());
}

#[test]
fn probes_are_answered_whoever_is_slow_on_the_metrics_port() {
    let data = Data::photos().unwrap();
    let server = Server::start(&data.photos, &[]);
    let begin = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-";
    let connect = |place: usize| {
        let mut socket = TcpStream::connect(&server.metrics).unwrap();
        socket.write_all(&begin[..place % begin.len()]).unwrap();
        socket
    };
    let slow: Vec<_> = (0..150).map(connect).collect();
    let asked = Instant::now();
    for path in ["/livez", "/readyz", "/metrics"] {
        assert!(get(&server.metrics, path).unwrap().starts_with("HTTP/1.1 200"), "{path}");
    }
    assert!(asked.elapsed() < Duration::from_secs(30));
    // A byte now and then is no request either.
    let mut dripping = TcpStream::connect(&server.metrics).unwrap();
    let dripped = begin.iter().cycle().take(600).find(|byte| {
        std::thread::sleep(Duration::from_millis(100));
        dripping.write_all(&[**byte]).is_err()
    });
    assert!(dripped.is_some(), "a minute of drips, and it is still there");
    assert!(slow.iter().all(is_closed));
    assert!(server.ended("slow") > 0 && server.ended("displaced") > 50);
}

#[tokio::main(flavor = "current_thread")]
async fn described(address: &str) -> Status {
    let request = DescribeRequest { dataset: "photos".to_owned(), digest: Default::default() };
    DatasetsClient::new(channel(address).await).describe(request).await.unwrap_err()
}

#[tokio::main(flavor = "current_thread")]
async fn health(address: &str) -> Status {
    use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
    HealthClient::new(channel(address).await).check(HealthCheckRequest::default()).await.unwrap_err()
}

/// A connection from another address of this machine.
#[tokio::main(flavor = "current_thread")]
async fn from_elsewhere(address: &str) -> TcpStream {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.9:0".parse().unwrap()).unwrap();
    let socket = socket.connect(address.parse().unwrap()).await.unwrap().into_std().unwrap();
    socket.set_nonblocking(false).unwrap();
    socket
}

async fn channel(address: &str) -> Channel {
    Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap()
}

#[test]
fn limits_of_connections_are_refused_where_they_cannot_be_meant() {
    let base = ["serve", "--data", "/nonexistent", "--dataset", "d", "--check-config"];
    for (setting, value) in [("--max-connections", "0"), ("--handshake-timeout", "0"), ("--idle-timeout", "-1")] {
        let said = run("storage-server", base.iter().chain(&[setting, value])).unwrap();
        assert!(said.code == Some(2) && said.stderr.contains(setting), "{}", said.stderr);
    }
}
