//! The programs run to their end.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::npy::{Array, read_npy};
use crate::process::program;

/// What a program said.
pub struct Run {
    /// The program's exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// What `profiler fetch` brought.
pub struct Fetched {
    /// Standard output, as JSON.
    pub summary: Value,
    /// `samples.jsonl`, by index.
    pub samples: BTreeMap<u64, Value>,
    /// The arrays, by index.
    pub arrays: BTreeMap<u64, Array>,
}

/// Runs a program with these arguments and no standard input.
///
/// # Errors
/// If it cannot be started.
pub fn run<S: AsRef<OsStr>>(name: &str, arguments: impl IntoIterator<Item = S>) -> Result<Run> {
    run_with(name, arguments, &[])
}

/// As [`run`], with these environment variables.
///
/// # Errors
/// If it cannot be started.
pub fn run_with<S: AsRef<OsStr>>(
    name: &str,
    arguments: impl IntoIterator<Item = S>,
    variables: &[(&str, &str)],
) -> Result<Run> {
    let mut command = Command::new(program(name));
    command.args(arguments).envs(variables.iter().copied()).stdin(Stdio::null());
    let Output { status, stdout, stderr } = command.output().with_context(|| name.to_owned())?;
    Ok(Run {
        code: status.code(),
        stdout: String::from_utf8_lossy(&stdout).into_owned(),
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    })
}

/// Arguments of a `profiler fetch` of the dataset `photos` as it is stored.
pub fn fetch_stored(servers: &str) -> [&str; 9] {
    ["fetch", "--servers", servers, "--dataset", "photos", "--recipe", "imagenet-eval", "--cut", "encoded"]
}

/// `profiler fetch` of the dataset `photos` with these further arguments; any sample may fail.
///
/// # Errors
/// If it fails, or what it wrote cannot be read.
pub fn fetch(servers: &[String], out: &Path, further: &[&str]) -> Result<Fetched> {
    let servers = servers.join(",");
    let out_text = out.display().to_string();
    let mut arguments = vec!["fetch", "--servers", &servers, "--dataset", "photos", "--json", "--out", &out_text];
    arguments.extend(["--max-failures", "100%"]);
    arguments.extend(further);
    run("profiler", arguments)?.success()?.fetched(out)
}

// === impl Run ===

impl Run {
    /// An error unless it ended with 0.
    ///
    /// # Errors
    /// With what it wrote to standard error.
    pub fn success(self) -> Result<Self> {
        match self.code {
            Some(0) => Ok(self),
            code => bail!("exit code {code:?}: {}{}", self.stderr, self.stdout),
        }
    }

    /// Standard output as JSON.
    ///
    /// # Errors
    /// If it is something else.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.stdout).with_context(|| format!("not JSON: {}", self.stdout))
    }

    /// The one line of standard error that says in JSON what went wrong.
    ///
    /// # Errors
    /// If there is none, or more than one.
    pub fn error(&self) -> Result<Value> {
        let lines = self.stderr.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let errors: Vec<Value> = lines.filter(|line| line.get("exit_code").is_some()).collect();
        match <[Value; 1]>::try_from(errors) {
            Ok([error]) => Ok(error),
            Err(errors) => bail!("{} errors in {}", errors.len(), self.stderr),
        }
    }

    fn fetched(self, out: &Path) -> Result<Fetched> {
        let lines = std::fs::read_to_string(out.join("samples.jsonl"))?;
        let mut fetched = Fetched { summary: self.json()?, samples: BTreeMap::new(), arrays: BTreeMap::new() };
        for line in lines.lines() {
            let sample: Value = serde_json::from_str(line)?;
            let index = sample["index"].as_u64().context("no index")?;
            if sample["error"].is_null() {
                fetched.arrays.insert(index, read_npy(&out.join(format!("{index}.npy")))?);
            }
            if fetched.samples.insert(index, sample).is_some() {
                bail!("index {index} is there twice");
            }
        }
        Ok(fetched)
    }
}
