//! The server that a situation strains, and all that is seen of it: memory, metrics, log.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::figure::Figure;
use super::memory::Memory;
use crate::server::{Server, ServerOptions};

/// What the dataset is called.
pub(crate) const DATASET: &str = "photos";
/// A server's `--memory`, where nothing else is said.
pub(crate) const DEFAULT_MEMORY: u64 = 1 << 30;
/// What a server may have over `--memory`: its program, its dataset's names, the network's buffers.
pub(crate) const BESIDES: u64 = 256 << 20;
/// A server that takes so much more than it may is killed.
const TOO_MUCH: u64 = 2 << 30;
/// Readers have what they take once nothing has moved for so long.
const STILL: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A server under strain.
pub(crate) struct Subject {
    // Before the server: it must not look at a process that another may have become.
    pub(crate) memory: Memory,
    pub(crate) server: Server,
    log: PathBuf,
    budget: u64,
}

// === impl Subject ===

impl Subject {
    /// Starts it; `budget` is its `--memory` in bytes.
    pub(crate) fn start(options: ServerOptions, budget: u64, log: &Path) -> Result<Self> {
        let memory = format!("{budget}B");
        let options =
            options.metrics().log(log).variable("HEADWATER_LOG", "info").variable("HEADWATER_MEMORY", &memory);
        let server = options.start()?;
        let memory = Memory::watch(server.pid(), budget + BESIDES + TOO_MUCH)?;
        Ok(Self { memory, server, log: log.to_owned(), budget })
    }

    pub(crate) fn address(&self) -> String {
        self.server.address()
    }

    /// What the server has logged so far.
    pub(crate) fn log(&self) -> Result<String> {
        std::fs::read_to_string(&self.log).with_context(|| self.log.display().to_string())
    }

    /// A metric that it must have.
    pub(crate) fn metric(&self, name: &str) -> Result<f64> {
        self.server.metric(name)?.with_context(|| format!("no metric {name}"))
    }

    /// The most memory since this was last asked, against the limit.
    pub(crate) fn most_memory(&self, when: &str) -> Figure {
        let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        let most = mebibytes(self.memory.take_most());
        let figure = Figure::at_most(format!("RSS {when}"), most, "MiB", mebibytes(self.budget + BESIDES));
        if !self.memory.was_too_much() {
            return figure;
        }
        Figure { found: format!("{}: killed there", figure.found), ..figure }
    }

    /// Waits until readers have what they take: nothing is sent, nothing granted; no longer than so long.
    pub(crate) fn settle(&self, most: Duration) -> Result<()> {
        let (started, mut before, mut since) = (Instant::now(), None, Instant::now());
        while started.elapsed() < most && since.elapsed() < STILL {
            let now =
                (self.metric("headwater_network_out_bytes_total")?, self.metric("headwater_memory_granted_bytes")?);
            if before.replace(now) != Some(now) {
                since = Instant::now();
            }
            nap(LOOK_EVERY);
        }
        Ok(())
    }
}

/// Lets time pass for others.
#[expect(clippy::disallowed_methods, reason = "other processes are waited for, with nothing to be woken by")]
pub(crate) fn nap(time: Duration) {
    std::thread::sleep(time);
}
