//! How much memory a process has, looked at twenty times a second.

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// From one look to the next.
const EVERY: Duration = Duration::from_millis(50);

/// Looks at a process until it is dropped.
pub(crate) struct Memory {
    seen: Arc<Seen>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Seen {
    now: AtomicU64,
    most: AtomicU64,
    looks: AtomicU64,
    too_much: AtomicBool,
    stop: AtomicBool,
}

// === impl Memory ===

impl Memory {
    /// Looks at this process, which is killed where it takes more than so many bytes: the machine is for others too.
    ///
    /// # Errors
    /// Where there is no `/proc`.
    pub(crate) fn watch(process: u32, kill_at: u64) -> Result<Self> {
        resident(process).context("the memory of a process")?;
        let seen = Arc::<Seen>::default();
        let thread = std::thread::spawn({
            let seen = Arc::clone(&seen);
            move || seen.watch(process, kill_at)
        });
        Ok(Self { seen, thread: Some(thread) })
    }

    /// The most bytes since the last call of this, or since the beginning.
    pub(crate) fn take_most(&self) -> u64 {
        let now = self.seen.now.load(Relaxed);
        self.seen.most.swap(now, Relaxed).max(now)
    }

    /// How often it has looked.
    pub(crate) fn looks(&self) -> u64 {
        self.seen.looks.load(Relaxed)
    }

    /// Whether the process was killed for what it took.
    pub(crate) fn was_too_much(&self) -> bool {
        self.seen.too_much.load(Relaxed)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.seen.stop.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

// === impl Seen ===

impl Seen {
    #[expect(clippy::disallowed_methods, reason = "a thread of its own, which looks at another process")]
    fn watch(&self, process: u32, kill_at: u64) {
        while !self.stop.load(Relaxed) {
            let Ok(bytes) = resident(process) else { return };
            self.now.store(bytes, Relaxed);
            self.most.fetch_max(bytes, Relaxed);
            self.looks.fetch_add(1, Relaxed);
            if bytes > kill_at && !self.too_much.swap(true, Relaxed) {
                // Its parent, which is this process, has not waited for it: the number is still its own.
                let _ = Command::new("kill").args(["-s", "KILL", &process.to_string()]).status();
            }
            std::thread::sleep(EVERY);
        }
    }
}

/// `VmRSS`, in bytes.
fn resident(process: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}
