//! An epoch through the proxy, and whether it went as it must: complete, or with the right key failed by name, or not
//! begun at all with the reason said. Never with fewer samples in silence.

use std::collections::BTreeMap;
use std::fmt;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::Value;
use tempfile::TempDir;

use super::proxy::Proxy;
use super::toxic::{Strain, Toxic};
use super::upstream::Upstream;
use crate::moto::BUCKET;
use crate::process::program;
use crate::run::{fetch_stored, run};
use crate::server::ServerOptions;

/// What is tried.
pub struct Trial {
    /// The store behind.
    pub upstream: Arc<Upstream>,
    /// What is wrong in between.
    pub strain: Strain,
    /// Every key of the dataset.
    pub keys: Arc<Vec<String>>,
}

/// How a trial went.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// What was wrong.
    pub strain: Strain,
    /// What is not as it must be; `None` if all is.
    pub fault: Option<String>,
    /// Samples that came.
    pub came: usize,
    /// Samples that failed, by their kinds.
    pub failed: BTreeMap<String, usize>,
    /// Whether the server refused to start.
    pub refused: bool,
    /// Reads and listings that the proxy was asked for.
    pub requests: (u32, u32),
    /// From the server's start to the end of the epoch.
    pub took: Duration,
}

// === impl Trial ===

impl Trial {
    /// Runs it.
    ///
    /// # Errors
    /// What is no matter of the programs: no port, no folder.
    pub fn run(&self) -> Result<Verdict> {
        let chosen = &self.keys[usize::try_from(self.strain.seed)? * 7 % self.keys.len()];
        let proxy = Proxy::start(&self.upstream, self.strain, chosen)?;
        let began = Instant::now();
        let mut verdict = Verdict {
            strain: self.strain,
            fault: None,
            came: 0,
            failed: BTreeMap::new(),
            refused: false,
            requests: (0, 0),
            took: Duration::ZERO,
        };
        verdict.fault = match self.strain.refusal() {
            Some(words) => {
                verdict.refused = true;
                self.refused(&proxy, words)?
            }
            None => self.fetched(&proxy, chosen, &mut verdict)?,
        };
        (verdict.requests, verdict.took) = (proxy.requests(), began.elapsed());
        if verdict.fault.is_none() && verdict.requests.0 as usize >= 3 * self.keys.len() {
            verdict.fault = Some(format!("{} reads of {} objects", verdict.requests.0, self.keys.len()));
        }
        Ok(verdict)
    }

    /// A server that must not start.
    fn refused(&self, proxy: &Proxy, words: &str) -> Result<Option<String>> {
        let index = TempDir::new()?;
        let ended = Command::new(program("storage-server"))
            .args(["serve", "--dataset", "photos", "--listen", "127.0.0.1:0", "--data", BUCKET, "--cache-dir"])
            .arg(index.path())
            .envs(variables(proxy))
            .output()?;
        let said = String::from_utf8_lossy(&ended.stderr);
        let is_right = ended.status.code() == Some(1) && said.contains(words) && !said.contains("panicked");
        Ok((!is_right).then(|| format!("{}, and not {words:?}: {said}", ended.status)))
    }

    /// An epoch that must bring each key once, whole or failed by name.
    fn fetched(&self, proxy: &Proxy, chosen: &str, verdict: &mut Verdict) -> Result<Option<String>> {
        let mut options = ServerOptions::new(BUCKET.as_ref()).arg("--cpu-workers").arg("1");
        for (name, value) in variables(proxy) {
            options = options.variable(name, &value);
        }
        let server = match options.start() {
            Ok(server) => server,
            Err(error) => return Ok(Some(format!("the server did not start: {error:#}"))),
        };
        let (out, address) = (TempDir::new()?, server.address());
        let folder = out.path().display().to_string();
        let ended = run(
            "profiler",
            fetch_stored(&address).into_iter().chain(["--max-failures", "100%", "--json", "--out", &folder]),
        )?;
        if ended.code != Some(0) {
            return Ok(Some(format!("exit code {:?}: {}", ended.code, ended.stderr)));
        }
        // An outage that begins with the reads: who waits for samples hears what they wait for.
        let is_told = ended.stderr.contains("busy: store") && ended.stderr.contains("SlowDown");
        if self.strain.toxic == Toxic::Unavailable && !self.strain.is_from_the_start() && !is_told {
            return Ok(Some(format!("nobody was told that the store throttles: {}", ended.stderr)));
        }
        let mut left: Vec<&str> = self.keys.iter().map(String::as_str).collect();
        for line in std::fs::read_to_string(out.path().join("samples.jsonl"))?.lines() {
            let sample: Value = serde_json::from_str(line)?;
            let key = sample["key"].as_str().unwrap_or_default();
            let Some(place) = left.iter().position(|known| *known == key) else {
                return Ok(Some(format!("a key too many: {line}")));
            };
            left.swap_remove(place);
            if sample["error"].is_null() {
                verdict.came += 1;
                continue;
            }
            let said = sample["error"].to_string();
            *verdict.failed.entry(sample["error"]["kind"].as_str().unwrap_or("?").to_owned()).or_default() += 1;
            let is_right = self.strain.failure().is_some_and(|words| said.contains(words))
                && (key == chosen || self.strain.toxic == Toxic::Expired);
            if !is_right {
                return Ok(Some(format!("{key} failed: {said}")));
            }
        }
        let failed: usize = verdict.failed.values().sum();
        Ok(match (left.len(), self.strain.failure()) {
            (1.., _) => Some(format!("{} keys are missing, the first {}", left.len(), left[0])),
            (0, Some(words)) if failed == 0 => Some(format!("nothing failed, and {chosen} was to, with {words:?}")),
            _ => None,
        })
    }
}

fn variables(proxy: &Proxy) -> [(&'static str, String); 6] {
    [
        ("AWS_ENDPOINT_URL", proxy.endpoint()),
        ("AWS_ACCESS_KEY_ID", "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ("AWS_SESSION_TOKEN", "test".to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("NO_PROXY", "127.0.0.1".to_owned()),
    ]
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { strain, fault, came, failed, refused, requests, took } = self;
        write!(f, "{:?} seed {}: ", strain.toxic, strain.seed)?;
        match (fault, refused) {
            (Some(fault), _) => write!(f, "WRONG: {fault}")?,
            (None, true) => write!(f, "refused to start, and said why")?,
            (None, false) => write!(f, "{came} came, failed {failed:?}")?,
        }
        write!(f, "; {} reads, {} listings, {:.1} s", requests.0, requests.1, took.as_secs_f64())
    }
}
