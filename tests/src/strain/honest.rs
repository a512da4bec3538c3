//! The honest client: a program of ours that reads one epoch, and what it says while it waits.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::cut::Cut;
use super::stage::MODEL;
use super::subject::DATASET;
use crate::process::program;

/// The client's patience without a sample, in seconds.
const GIVE_UP_AFTER: u64 = 30;
/// How long an epoch may take: over this patience, since some samples may come.
const MOST: Duration = Duration::from_secs(90);
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// An epoch of the honest client.
pub(crate) struct Epoch {
    /// From the start of the program to its end.
    pub(crate) seconds: f64,
    /// Whether every sample came.
    pub(crate) complete: bool,
    /// What the client wrote to standard error.
    pub(crate) log: String,
}

// === impl Epoch ===

impl Epoch {
    /// One epoch of so many samples at a cut; the program writes to this folder.
    ///
    /// # Errors
    /// A program that cannot be started.
    pub(crate) fn read(address: &str, cut: Cut, samples: usize, folder: &Path) -> Result<Self> {
        let [out, log] = ["epoch.json", "epoch.log"].map(|name| folder.join(name));
        let features = folder.join("features");
        if features.exists() {
            fs::remove_dir_all(&features)?;
        }
        let mut command = command(cut, &features);
        command
            .args(["--servers", address, "--dataset", DATASET, "--json", "--max-failures", "0"])
            .args(["--give-up-after", &GIVE_UP_AFTER.to_string()])
            .env("HEADWATER_LOG", "info")
            .stdin(Stdio::null())
            .stdout(File::create(&out)?)
            .stderr(File::create(&log)?);
        let started = Instant::now();
        let status = wait(command.spawn().with_context(|| format!("{command:?}"))?, MOST)?;
        let seconds = started.elapsed().as_secs_f64();
        let log = fs::read_to_string(log)?;
        let arrived = serde_json::from_slice::<Value>(&fs::read(out)?).ok().and_then(|summary| arrived(&summary));
        let complete = status.is_some_and(|status| status.success()) && arrived == Some(samples as u64);
        Ok(Self { seconds, complete, log })
    }

    /// Why the client waited, where the server said it.
    pub(crate) fn words_of_memory(&self) -> Option<String> {
        let line = self.log.lines().find(|line| line.contains("busy: memory"))?;
        let said = serde_json::from_str::<Value>(line).ok()?;
        Some(said["message"].as_str().unwrap_or(line).to_owned())
    }

    /// The last thing that it said: why it ended, where it is not complete.
    pub(crate) fn last_words(&self) -> String {
        let last = self.log.lines().last().unwrap_or_default();
        let said = serde_json::from_str::<Value>(last).ok();
        let error = said.as_ref().and_then(|said| said["error"].as_str());
        error.map_or_else(|| format!("stopped after {:.0} s: {last}", self.seconds), str::to_owned)
    }
}

fn command(cut: Cut, features: &Path) -> Command {
    if cut == Cut::FEATURES {
        let mut command = Command::new(program("tuner"));
        command.args(["extract", "--model", MODEL, "--out"]).arg(features);
        return command;
    }
    let mut command = Command::new(program("profiler"));
    command.args(["epoch", "--recipe", "imagenet-train", "--mode", &cut.name()]);
    command
}

/// Samples that came, as `profiler epoch` and `tuner extract` say.
fn arrived(summary: &Value) -> Option<u64> {
    let all = summary["images"].as_u64().or_else(|| summary["samples"].as_u64())?;
    Some(all - summary["failed"].as_u64()?)
}

/// `None` where it had to be killed.
#[expect(clippy::disallowed_methods, reason = "a program of its own is waited for, with nothing to be woken by")]
fn wait(mut child: Child, most: Duration) -> Result<Option<ExitStatus>> {
    let started = Instant::now();
    while started.elapsed() < most {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        std::thread::sleep(LOOK_EVERY);
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}
