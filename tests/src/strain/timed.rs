//! A server whose start is timed: when it answers, when it serves, and what memory it has meanwhile.

use std::ffi::OsStr;
use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use headwater_wire::proto::samples_client::SamplesClient;
use headwater_wire::proto::{FetchRequest, SampleRange, Way, fetch_request};
use serde_json::Value;
use tokio::runtime::Handle;

use super::subject::{DATASET, nap};
use crate::http::get;
use crate::process::program;

const LOOK_EVERY: Duration = Duration::from_millis(10);
/// A server with listings of minutes ends within so long.
const END: Duration = Duration::from_secs(60);

/// A server from its start on; killed when dropped.
pub(crate) struct Timed {
    child: Child,
    serves: String,
    metrics: String,
    log: PathBuf,
    started: Instant,
}

// === impl Timed ===

impl Timed {
    /// Starts one of the dataset at this place, that keeps what it keeps below `state`.
    ///
    /// # Errors
    /// It cannot be started.
    pub(crate) fn start(data: &str, state: &Path, log: &Path, further: &[&str]) -> Result<Self> {
        let [serves, metrics] = [free_port()?, free_port()?];
        let mut command = Command::new(program("storage-server"));
        command
            .args(["serve", "--data", data, "--dataset", DATASET, "--listen", &serves, "--metrics-listen", &metrics])
            .args([OsStr::new("--state"), state.as_os_str()])
            .args(further)
            .envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_REGION", "us-east-1")])
            .env("HEADWATER_LOG", "info")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(log)?);
        let started = Instant::now();
        let child = command.spawn().context("starting storage-server")?;
        Ok(Self { child, serves, metrics, log: log.to_owned(), started })
    }

    /// Seconds from the start until probes are answered and the gRPC port is open.
    ///
    /// # Errors
    /// The server ended, or is not there after so long.
    pub(crate) fn answers(&mut self, most: Duration) -> Result<f64> {
        self.until(most, "it answers", |server| {
            let lives = get(&server.metrics, "/livez").is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"));
            Ok(lives && TcpStream::connect(&server.serves).is_ok())
        })
    }

    /// Seconds from the start until it says that it serves, and samples have come.
    ///
    /// # Errors
    /// As [`Self::answers`]; a sample that fails.
    pub(crate) fn serves(&mut self, runtime: &Handle, most: Duration) -> Result<f64> {
        self.until(most, "it serves", |server| {
            Ok(get(&server.metrics, "/readyz").is_ok_and(|answer| answer.starts_with("HTTP/1.1 200")))
        })?;
        runtime.block_on(read_some(&self.serves))?;
        Ok(self.started.elapsed().as_secs_f64())
    }

    /// What the log says of the first listing that is done, once it is; and the seconds from the start.
    ///
    /// # Errors
    /// As [`Self::answers`].
    pub(crate) fn listed(&mut self, most: Duration) -> Result<(Value, f64)> {
        let mut found = None;
        let seconds = self.until(most, "it has listed its dataset", |server| {
            let log = std::fs::read_to_string(&server.log)?;
            let line = log.lines().find(|line| line.contains("\"dataset listed\""));
            found = line.map(serde_json::from_str).transpose()?;
            Ok(found.is_some())
        })?;
        Ok((found.context("no line in the log")?, seconds))
    }

    /// Waits until it is as the function says: the seconds from the start.
    ///
    /// # Errors
    /// The server ended, or it is not so after so long.
    pub(crate) fn until(
        &mut self,
        most: Duration,
        what: &str,
        mut is_so: impl FnMut(&Self) -> Result<bool>,
    ) -> Result<f64> {
        while self.started.elapsed() < most {
            if is_so(self)? {
                return Ok(self.started.elapsed().as_secs_f64());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended with {status} before {what}: {}", std::fs::read_to_string(&self.log)?);
            }
            nap(LOOK_EVERY);
        }
        bail!("{most:?} were over before {what}")
    }

    /// The value of a metric of its dataset.
    ///
    /// # Errors
    /// It has none.
    pub(crate) fn metric(&self, name: &str) -> Result<f64> {
        let page = get(&self.metrics, "/metrics")?;
        let of_dataset = format!("headwater_{name}{{dataset=\"{DATASET}\"}} ");
        let value = page.lines().find_map(|line| line.strip_prefix(&of_dataset)).with_context(|| of_dataset.clone())?;
        Ok(value.trim().parse()?)
    }

    /// Memory in RAM now (`VmRSS`) and at most so far (`VmHWM`), in bytes.
    ///
    /// # Errors
    /// Where there is no `/proc`.
    pub(crate) fn memory(&self) -> Result<[u64; 2]> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).context("no memory in /proc")?;
            Ok::<u64, anyhow::Error>(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
        };
        Ok([of("VmRSS:")?, of("VmHWM:")?])
    }

    /// `kill -9`.
    ///
    /// # Errors
    /// If it cannot be killed.
    pub(crate) fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Ends it as a supervisor would: the seconds that took.
    ///
    /// # Errors
    /// It does not end.
    pub(crate) fn end(mut self) -> Result<f64> {
        let asked = Instant::now();
        let status = Command::new("kill").args(["-s", "TERM", &self.child.id().to_string()]).status()?;
        ensure!(status.success(), "kill: {status}");
        while asked.elapsed() < END {
            if self.child.try_wait()?.is_some() {
                return Ok(asked.elapsed().as_secs_f64());
            }
            nap(LOOK_EVERY);
        }
        bail!("it is still running {END:?} after SIGTERM")
    }
}

impl Drop for Timed {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads the first stored photos.
async fn read_some(address: &str) -> Result<()> {
    let mut samples = SamplesClient::connect(format!("http://{address}")).await?;
    let request = FetchRequest {
        dataset: DATASET.to_owned(),
        samples: Some(fetch_request::Samples::Range(SampleRange { first: 0, count: SOME })),
        ways: Some(fetch_request::Ways::Way(Way::Encoded.into())),
        ..FetchRequest::default()
    };
    let (mut stream, mut came) = (samples.fetch(request).await?.into_inner(), 0);
    while let Some(batch) = stream.message().await? {
        for sample in batch.samples {
            ensure!(sample.failure.is_none(), "sample {} failed: {:?}", sample.index, sample.failure);
            came += 1;
        }
    }
    ensure!(came == SOME, "{came} of {SOME} samples came");
    Ok(())
}

const SOME: u64 = 16;

/// An address that nobody listens on.
pub(crate) fn free_port() -> Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}
