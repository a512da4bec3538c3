//! A server that is asked to stop lets its streams finish, within a grace period; asked twice, it stops at once.

use std::process::{Command, Stdio};
use std::time::Duration;

use headwater_tests::{Data, Logged, ServerOptions, program};
use tempfile::TempDir;

/// Over what CI's cores may take: these are not timed tests.
const SOON: Duration = Duration::from_secs(30);

#[test]
fn an_idle_server_ends_well() {
    let data = Data::photos().unwrap();
    let mut server = ServerOptions::new(&data.photos).start().unwrap();
    server.signal("TERM").unwrap();
    assert!(server.wait(SOON).unwrap().success());
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the signal has to come while samples flow")]
fn open_streams_finish_within_the_grace_period() {
    let data = Data::photos().unwrap();
    let mut server =
        ServerOptions::new(&data.photos).arg("--grace").arg("60").arg("--cpu-workers").arg("1").start().unwrap();
    let out = TempDir::new().unwrap();
    let client = Command::new(program("profiler"))
        .args(["fetch", "--servers", &server.address(), "--dataset", "photos", "--recipe", "imagenet-train"])
        .args(["--cut", "normalized", "--seed", "1", "--epoch", "0", "--json", "--out"])
        .arg(out.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let first = out.path().join("0.npy");
    for _ in 0..3000 {
        if first.exists() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    server.signal("TERM").unwrap();
    let output = client.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", output.status);
    assert!(server.wait(SOON).unwrap().success());
}

#[test]
fn a_closed_terminal_has_the_datasets_listed_anew_and_ends_nothing() {
    let data = Data::photos().unwrap();
    let serve = |before: &str| {
        let mut command = Command::new("sh");
        let words =
            format!("{before} exec \"$0\" serve --dataset photos --listen 127.0.0.1:0 --no-cache --data \"$1\"");
        command.args(["-c", &words]).arg(program("storage-server")).arg(&data.photos);
        let server = Logged::start(&mut command);
        server.address("serving");
        server
    };
    let mut server = serve("");
    // By default they kill.
    server.signal("USR1");
    server.says("SIGUSR1");
    server.signal("USR2");
    server.says("SIGUSR2");
    server.signal("HUP");
    server.says("nothing has changed");
    assert!(server.is_running(), "{}", server.log());
    assert_eq!(server.end("TERM"), Some(0), "{}", server.log());
    // As under nohup.
    let mut server = serve("trap '' HUP;");
    server.signal("HUP");
    server.says("nothing has changed");
    assert!(server.is_running(), "{}", server.log());
    assert_eq!(server.end("TERM"), Some(0), "{}", server.log());
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the signal has to come while samples flow")]
fn a_second_signal_ends_at_once() {
    let data = Data::photos().unwrap();
    let options = ServerOptions::new(&data.photos).arg("--grace").arg("3600").arg("--cpu-workers").arg("1");
    let mut server = options.model("model", &data.model, &data.recipe).start().unwrap();
    // A reader that stops reading keeps its stream open for ever.
    let mut client = Command::new(program("tuner"))
        .args(["extract", "--servers", &server.address(), "--dataset", "photos", "--model", "model", "--json", "--out"])
        .arg(data.scratch.path().join("out"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(200));
    Command::new("kill").args(["-s", "STOP", &client.id().to_string()]).status().unwrap();
    server.signal("TERM").unwrap();
    std::thread::sleep(Duration::from_millis(300));
    server.signal("TERM").unwrap();
    let status = server.wait(SOON);
    client.kill().unwrap();
    client.wait().unwrap();
    status.unwrap();
}

#[tokio::test]
async fn whoever_only_watches_or_says_nothing_does_not_hold_up_the_end() {
    use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
    let data = Data::photos().unwrap();
    // Longer than the test waits.
    let options = ServerOptions::new(&data.photos).arg("--grace").arg("3600").arg("--no-cache");
    let start = || options.start();
    let mut server = tokio::task::spawn_blocking(start).await.unwrap().unwrap();
    let silent = std::net::TcpStream::connect(server.address()).unwrap();
    let channel = tonic::transport::Channel::from_shared(format!("http://{}", server.address())).unwrap();
    let mut health = HealthClient::new(channel.connect().await.unwrap());
    let mut watch = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status, 1);
    server.signal("TERM").unwrap();
    assert_eq!(watch.message().await.unwrap().unwrap().status, 2, "it hears that the server stops");
    let ended = tokio::task::spawn_blocking(move || server.wait(SOON)).await.unwrap();
    assert!(ended.unwrap().success());
    drop(silent);
}
