//! A server whose listing takes long, and signals that a terminal or a supervisor sends.

use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::http::get;
use crate::process::program;
use crate::server::ServerOptions;
use crate::strain::cut::Cut;
use crate::strain::figure::Figure;
use crate::strain::photos::Photos;
use crate::strain::readers::{Manner, Readers};
use crate::strain::stage::Stage;
use crate::strain::subject::{DEFAULT_MEMORY, nap};
use crate::strain::timed::free_port;

/// How soon something must listen: long before a listing of minutes ends.
const SOON: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(50);
const OVER: Duration = Duration::from_secs(30);

/// A server that lists a bucket whose store does not answer; killed when dropped.
struct Listing {
    child: Child,
    /// Connections to it wait for ever.
    _store: TcpListener,
    serves: String,
    metrics: String,
}

// === impl Listing ===

impl Listing {
    fn start(stage: &Stage) -> Result<Self> {
        let store = TcpListener::bind("127.0.0.1:0")?;
        let [serves, metrics] = [free_port()?, free_port()?];
        let mut command = Command::new(program("storage-server"));
        command
            .args(["serve", "--data", "s3://bucket/photos", "--dataset", "photos", "--no-cache"])
            .args(["--listen", &serves, "--metrics-listen", &metrics])
            .args(["--s3-endpoint", &format!("http://{}", store.local_addr()?)])
            .envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_REGION", "us-east-1")])
            .stdin(Stdio::null())
            .stderr(File::create(stage.scratch().join("listing.log"))?);
        let child = command.spawn().context("starting storage-server")?;
        Ok(Self { child, _store: store, serves, metrics })
    }
}

impl Drop for Listing {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A listing that does not end: the ports answer all the same.
pub(super) fn listing(stage: &Stage) -> Result<Vec<Figure>> {
    let listing = Listing::start(stage)?;
    let answer = |path: &str| get(&listing.metrics, path).unwrap_or_default();
    let lives = within(SOON, || answer("/livez").starts_with("HTTP/1.1 200"));
    let listens = within(SOON, || TcpStream::connect(&listing.serves).is_ok());
    // It opens the bucket before it lists it.
    let says = within(SOON, || {
        let ready = answer("/readyz");
        ready.starts_with("HTTP/1.1 503") && ready.contains("listing")
    });
    let doing = answer("/readyz").lines().last().unwrap_or_default().to_owned();
    Ok(vec![
        Figure::holds("/livez while it lists", lives, "true", lives),
        Figure::holds("gRPC listens while it lists", listens, "true", listens),
        Figure::holds("/readyz while it lists", doing, "503, and what it is doing", says),
    ])
}

/// SIGHUP, as a terminal that is closed sends it: the server lists its dataset anew and stays.
pub(super) fn hang_up(stage: &Stage) -> Result<Vec<Figure>> {
    let photos = Photos::middle(120);
    let options = ServerOptions::new(&stage.photos(&photos)?).arg("--no-cache").arg("--grace").arg("20");
    let mut subject = stage.start(options, DEFAULT_MEMORY)?;
    let reader = Readers::open(stage.runtime(), &subject.address(), photos.count, &Manner::stopped(Cut::CROPPED))?;
    subject.server.signal("HUP")?;
    nap(Duration::from_secs(1));
    let running = subject.server.is_running()?;
    let mut figures = vec![Figure::holds("with an open stream, a second after SIGHUP", running, "running", running)];
    if running {
        let ended = reader.read_on(OVER)?;
        let whole = ended.iter().all(|end| end.code == tonic::Code::Ok && end.samples == photos.count);
        figures.push(Figure::holds("the stream", format!("{ended:?}"), "whole", whole));
    }
    subject.server.signal("TERM")?;
    let status = subject.server.wait(OVER)?;
    figures.push(Figure::holds("its end after SIGTERM", status, "exit status 0", status.code() == Some(0)));
    Ok(figures)
}

fn within(most: Duration, mut found: impl FnMut() -> bool) -> bool {
    let started = Instant::now();
    while started.elapsed() < most {
        if found() {
            return true;
        }
        nap(LOOK_EVERY);
    }
    false
}
