//! A process whose log is read while it runs.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "only tests call this, and one that panics has said what it found"
)]
#![expect(clippy::disallowed_methods, reason = "what a process says is waited for")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

/// Over what CI's cores may take: these are not timed tests.
const TRIES: usize = 1200;
const BETWEEN: Duration = Duration::from_millis(50);

/// A process whose log lines are kept; killed when dropped.
pub struct Logged {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

// === impl Logged ===

impl Logged {
    /// Starts it, with a log of what happens.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn start(command: &mut Command) -> Self {
        let mut child =
            command.env("HEADWATER_LOG", "info").stderr(Stdio::piped()).stdin(Stdio::null()).spawn().unwrap();
        let (lines, log) = (Arc::<Mutex<Vec<String>>>::default(), BufReader::new(child.stderr.take().unwrap()));
        let kept = Arc::clone(&lines);
        std::thread::spawn(move || log.lines().map_while(Result::ok).for_each(|line| kept.lock().unwrap().push(line)));
        Self { child, lines }
    }

    /// What the process has said so far.
    ///
    /// # Panics
    /// If its reader has.
    pub fn log(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    /// Waits for a line with these words.
    ///
    /// # Panics
    /// If none comes.
    pub fn says(&self, words: &str) -> String {
        eventually(words, || self.lines.lock().unwrap().iter().find(|line| line.contains(words)).cloned())
    }

    /// The address that the log says behind this message.
    ///
    /// # Panics
    /// If it says none.
    pub fn address(&self, message: &str) -> String {
        let line: Value = serde_json::from_str(&self.says(&format!("\"message\":\"{message}\""))).unwrap();
        line["address"].as_str().unwrap().to_owned()
    }

    /// The process's id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether the process is still there.
    ///
    /// # Panics
    /// If the system cannot say.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Sends a signal, such as `HUP`.
    ///
    /// # Panics
    /// If `kill` cannot be run.
    pub fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args(["-s", signal, &self.pid().to_string()]).status().unwrap().success());
    }

    /// Waits for its end: its exit code, or `None` where a signal ended it.
    ///
    /// # Panics
    /// If it does not end.
    pub fn code(&mut self) -> Option<i32> {
        eventually("the end of the process", || self.child.try_wait().unwrap()).code()
    }

    /// The exit code after this signal.
    ///
    /// # Panics
    /// If it does not end.
    pub fn end(&mut self, signal: &str) -> Option<i32> {
        self.signal(signal);
        self.code()
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What is found, once it is.
///
/// # Panics
/// If it is not in a minute.
pub fn eventually<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    for _ in 0..TRIES {
        if let Some(found) = found() {
            return found;
        }
        std::thread::sleep(BETWEEN);
    }
    panic!("waited in vain for {what}");
}
