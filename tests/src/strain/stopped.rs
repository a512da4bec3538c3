//! A program of ours that reads an epoch, and is stopped by a signal in the middle of it.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::cut::Cut;
use super::subject::{DATASET, Subject, nap};
use crate::process::program;

/// How long it may take to receive its first bytes.
const FIRST: Duration = Duration::from_secs(60);
/// What it has received when it is stopped: it is in the middle of a sample, or of a few.
const RECEIVED: f64 = 1e6;

/// It is killed when this is dropped.
pub(crate) struct Stopped(Child);

// === impl Stopped ===

impl Stopped {
    /// Starts it, and stops it once samples come.
    ///
    /// # Errors
    /// No sample came.
    pub(crate) fn start(subject: &Subject, cut: Cut) -> Result<Self> {
        let before = sent(subject)?;
        let mut command = Command::new(program("profiler"));
        command
            .args(["epoch", "--recipe", "imagenet-train", "--mode", &cut.name(), "--dataset", DATASET])
            .args(["--servers", &subject.address()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let (stopped, started) = (Self(command.spawn()?), Instant::now());
        while sent(subject)? - before < RECEIVED {
            ensure!(started.elapsed() < FIRST, "no sample came in {FIRST:?}");
            nap(Duration::from_millis(5));
        }
        // This process has not waited for it: the number is still its own.
        let signal = Command::new("kill").args(["-s", "STOP", &stopped.0.id().to_string()]).status()?;
        ensure!(signal.success(), "it could not be stopped");
        Ok(stopped)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn sent(subject: &Subject) -> Result<f64> {
    subject.metric("headwater_network_out_bytes_total")
}
