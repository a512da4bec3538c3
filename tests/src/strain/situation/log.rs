//! Logs that cannot be written: the disk is full, or whoever read them has left. No request and no exit code may depend
//! on a log.

use std::fs::OpenOptions;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::process::program;
use crate::strain::cut::Cut;
use crate::strain::figure::Figure;
use crate::strain::honest::Epoch;
use crate::strain::photos::Photos;
use crate::strain::stage::Stage;
use crate::strain::subject::nap;

const READY: Duration = Duration::from_secs(60);
const OVER: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What becomes of standard error.
#[derive(Clone, Copy, Debug)]
enum Log {
    Full,
    Closed,
}

/// An epoch and a clean end, with either log, at the most talkative.
pub(super) fn unwritable(stage: &Stage) -> Result<Vec<Figure>> {
    let photos = Photos::middle(24);
    let folder = stage.photos(&photos)?;
    let mut figures = Vec::new();
    for log in [Log::Full, Log::Closed] {
        let port = stage.scratch().join(format!("{log:?}.port"));
        let mut child = start(&folder, &port, log)?;
        let outcome = serve(stage, &photos, &port, &mut child);
        let _ = child.kill();
        let (epoch, status) = match outcome {
            Ok(outcome) => outcome,
            Err(error) => {
                figures.push(Figure::holds(
                    format!("a server, log {log:?}"),
                    format!("{error:#}"),
                    "serves, and ends",
                    false,
                ));
                continue;
            }
        };
        let found = if epoch.complete { "complete".to_owned() } else { epoch.last_words() };
        figures.push(Figure::holds(format!("an epoch, log {log:?}"), found, "complete", epoch.complete));
        figures.push(Figure::holds(format!("SIGTERM, log {log:?}"), status, "exit status: 0", status.success()));
    }
    Ok(figures)
}

fn start(photos: &Path, port: &Path, log: Log) -> Result<Child> {
    let mut command = Command::new(program("storage-server"));
    command.args(["serve", "--dataset", "photos", "--listen", "127.0.0.1:0", "--no-cache", "--data"]).arg(photos);
    command.arg("--port-file").arg(port).env("HEADWATER_LOG", "trace").stdin(Stdio::null()).stdout(Stdio::null());
    match log {
        Log::Full => command.stderr(OpenOptions::new().write(true).open("/dev/full")?),
        Log::Closed => command.stderr(Stdio::piped()),
    };
    let mut child = command.spawn().context("starting storage-server")?;
    drop(child.stderr.take());
    Ok(child)
}

/// An epoch, then SIGTERM.
fn serve(stage: &Stage, photos: &Photos, port: &Path, child: &mut Child) -> Result<(Epoch, ExitStatus)> {
    let started = Instant::now();
    while !port.exists() {
        if let Some(status) = child.try_wait()? {
            bail!("it ended before it was ready: {status}");
        }
        if started.elapsed() > READY {
            bail!("it was not ready in {READY:?}");
        }
        nap(LOOK_EVERY);
    }
    let address = format!("127.0.0.1:{}", std::fs::read_to_string(port)?.trim());
    let epoch = Epoch::read(&address, Cut::CROPPED, photos.count, stage.scratch())?;
    Command::new("kill").args(["-s", "TERM", &child.id().to_string()]).status()?;
    let started = Instant::now();
    loop {
        match child.try_wait()? {
            Some(status) => return Ok((epoch, status)),
            None if started.elapsed() > OVER => bail!("it is still there after SIGTERM"),
            None => nap(LOOK_EVERY),
        }
    }
}
