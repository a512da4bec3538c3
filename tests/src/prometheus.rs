//! Prometheus as a process, and the tool that checks its rules: Debian's, where scripts have unpacked it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::http::{escaped, get_json};
use crate::logged::eventually;

/// A folder that has its programs; without it they are looked for on the path.
const FOLDER: &str = "PROMETHEUS_BIN";

/// A Prometheus that runs; killed when dropped.
pub struct Prometheus {
    child: Child,
    address: String,
}

/// A program of Prometheus, `prometheus` or `promtool`; `None` where there is none.
pub fn prometheus_program(name: &str) -> Option<PathBuf> {
    let given = std::env::var_os(FOLDER).filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = given.into_iter().chain(std::env::split_paths(&path).collect::<Vec<_>>());
    folders.map(|folder| folder.join(name)).find(|program| program.is_file())
}

// === impl Prometheus ===

impl Prometheus {
    /// Starts it in this folder, with this configuration; `None` where there is none.
    ///
    /// # Errors
    /// A program that does not start.
    pub fn start(folder: &Path, configuration: &str) -> Result<Option<Self>> {
        let Some(program) = prometheus_program("prometheus") else { return Ok(None) };
        let file = folder.join("prometheus.yml");
        fs::write(&file, configuration)?;
        let child = Command::new(program)
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("tsdb").display()))
            .args(["--web.listen-address=127.0.0.1:0", "--log.level=warn"])
            .stdin(Stdio::null())
            .spawn()
            .context("starting prometheus")?;
        let mut prometheus = Self { child, address: String::new() };
        let port = eventually("prometheus listens", || listening(prometheus.child.id()));
        prometheus.address = format!("127.0.0.1:{port}");
        Ok(Some(prometheus))
    }

    /// What a call of its interface answers: its `data`.
    ///
    /// # Errors
    /// It does not answer, or with an error.
    pub fn ask(&self, path: &str) -> Result<Value> {
        let answer = get_json(&self.address, path)?;
        match answer["status"].as_str() {
            Some("success") => Ok(answer["data"].clone()),
            _ => bail!("{path}: {answer}"),
        }
    }

    /// The series of an expression now.
    ///
    /// # Errors
    /// As [`Prometheus::ask`]: it does not understand the expression.
    pub fn query(&self, expression: &str) -> Result<Vec<Value>> {
        let data = self.ask(&format!("/api/v1/query?query={}", escaped(expression)))?;
        Ok(data["result"].as_array().cloned().unwrap_or_default())
    }

    /// The labels of the alerts that fire.
    ///
    /// # Errors
    /// As [`Prometheus::ask`].
    pub fn firing(&self) -> Result<Vec<Value>> {
        let data = self.ask("/api/v1/alerts")?;
        let alerts = data["alerts"].as_array().cloned().unwrap_or_default();
        Ok(alerts.into_iter().filter(|alert| alert["state"] == "firing").map(|alert| alert["labels"].clone()).collect())
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The port on which a process listens, by the kernel's tables: it was given port 0, and does not say which it got.
fn listening(pid: u32) -> Option<u16> {
    let sockets: Vec<String> = fs::read_dir(format!("/proc/{pid}/fd"))
        .ok()?
        .filter_map(|entry| Some(fs::read_link(entry.ok()?.path()).ok()?.to_str()?.to_owned()))
        .collect();
    let table = fs::read_to_string(format!("/proc/{pid}/net/tcp")).ok()?;
    table.lines().skip(1).find_map(|line| {
        // sl local_address rem_address st ... inode: proc(5). 0A is LISTEN.
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (local, state, inode) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
        let own = *state == "0A" && sockets.contains(&format!("socket:[{inode}]"));
        own.then(|| u16::from_str_radix(local.split(':').nth(1)?, 16).ok()).flatten()
    })
}
