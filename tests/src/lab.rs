//! What trainings in rounds have in common: photos of three classes, an extractor, servers, and the log that a run
//! writes.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use headwater_testdata::{Extractor, PhotoSet};
use serde_json::Value;
use tempfile::TempDir;

use crate::{Liar, Line, Run, Server, ServerOptions, program, run};

/// Photos of three classes, and an extractor.
pub struct Lab {
    folder: TempDir,
}

/// Where a tuner reaches a server, itself or through something that stands before it.
pub trait Reached {
    /// The address.
    fn reached(&self) -> String;
}

/// How long something may take to be seen in a log: the machines of CI are slow.
const SEEN: Duration = Duration::from_secs(90);

// === impl Lab ===

impl Lab {
    /// A folder of its own.
    ///
    /// # Errors
    /// A disk that does not take it.
    pub fn new() -> Result<Self> {
        let lab = Self { folder: TempDir::new()? };
        PhotoSet { classes: 3, per_class: 40, ..PhotoSet::default() }.write(&lab.at("photos"))?;
        std::fs::write(lab.at("recipe.toml"), Extractor::RECIPE)?;
        std::fs::write(lab.at("one.onnx"), Extractor::onnx(1))?;
        Ok(lab)
    }

    /// A path in it.
    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The same as text.
    pub fn text(&self, name: &str) -> String {
        self.at(name).display().to_string()
    }

    /// A server of a part of the photos, K/N.
    ///
    /// # Errors
    /// It does not start.
    pub fn server(&self, part: &str, further: &[&str]) -> Result<Server> {
        let options = ServerOptions::new(&self.at("photos")).args(["--partition", part]);
        let options = options.args(["--max-batch", "4", "--inference-workers", "1", "--cpu-workers", "1"]);
        let options = options.args(further.iter().copied()).metrics();
        options.model("m", &self.at("one.onnx"), &self.text("recipe.toml")).start()
    }

    fn arguments(&self, servers: &[&dyn Reached], out: &str, further: &[&str]) -> Vec<String> {
        let servers = servers.iter().map(|server| server.reached()).collect::<Vec<_>>().join(",");
        let fixed = ["fine-tune", "--dataset", "photos", "--model", "m", "--seed", "3", "--json", "--servers"];
        let fixed = fixed.into_iter().map(str::to_owned).chain([servers, "--out".to_owned(), self.text(out)]);
        fixed.chain(further.iter().map(|argument| (*argument).to_owned())).collect()
    }

    /// A training, to its end.
    ///
    /// # Errors
    /// The program does not start.
    pub fn train(&self, servers: &[&dyn Reached], out: &str, further: &[&str]) -> Result<Run> {
        run("tuner", self.arguments(servers, out, further))
    }

    /// The summary of a training that succeeds.
    ///
    /// # Errors
    /// It does not.
    pub fn trained(&self, servers: &[&dyn Reached], out: &str, further: &[&str]) -> Result<Value> {
        self.train(servers, out, further)?.success()?.json()
    }

    /// A training that goes on beside the test.
    ///
    /// # Errors
    /// The program does not start.
    pub fn begin(&self, servers: &[&dyn Reached], out: &str, further: &[&str]) -> Result<Child> {
        let mut command = Command::new(program("tuner"));
        command.args(self.arguments(servers, out, further)).env("HEADWATER_LOG", "error");
        Ok(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?)
    }

    /// The lines of a log that are whole.
    pub fn log(&self, name: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.at(name)).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Waits until a log has a line.
    ///
    /// # Errors
    /// It has none for long.
    #[expect(clippy::disallowed_methods, reason = "it waits for another process")]
    pub fn wait_for(&self, name: &str, what: &str, is_it: impl Fn(&Value) -> bool) -> Result<Value> {
        let begin = Instant::now();
        loop {
            if let Some(line) = self.log(name).into_iter().find(|line| is_it(line)) {
                return Ok(line);
            }
            if begin.elapsed() > SEEN {
                bail!("no {what}: {:#?}", self.log(name).last());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until a log says so of a worker, and gives the run's seconds at which it was.
    ///
    /// # Errors
    /// It does not for long.
    pub fn wait_for_worker(&self, name: &str, worker: u64, state: &str) -> Result<f64> {
        let of = |line: &Value| line["event"] == "worker" && line["worker"] == worker && line["state"] == state;
        let line = self.wait_for(name, &format!("word that worker {worker} is {state}"), of)?;
        line["at_seconds"].as_f64().context("a change has its time")
    }
}

impl Reached for Server {
    fn reached(&self) -> String {
        self.address()
    }
}

impl Reached for Line {
    fn reached(&self) -> String {
        self.address().to_owned()
    }
}

impl Reached for Liar {
    fn reached(&self) -> String {
        self.address()
    }
}

/// The number of a round, of a line that is one.
pub fn round(line: &Value) -> Option<u64> {
    line["round"].as_u64().filter(|_| line["event"] == "round")
}

/// The workers that counted in a round.
pub fn counted(line: &Value) -> Vec<u64> {
    let workers = line["workers"].as_array().into_iter().flatten();
    workers.filter(|worker| worker["outcome"] == "counted").filter_map(|worker| worker["worker"].as_u64()).collect()
}
