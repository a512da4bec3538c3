//! A real etcd of this machine, with a folder of its own.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

/// An etcd that runs; ended when dropped.
pub struct Etcd {
    process: Child,
    port: u16,
    _data: TempDir,
}

// === impl Etcd ===

impl Etcd {
    /// Starts one; `None`, and a word about it, where the machine has none (Debian's `etcd-server`).
    ///
    /// # Errors
    /// If it ends, or does not answer in half a minute.
    #[expect(clippy::disallowed_methods, reason = "it waits for another process")]
    pub fn start() -> Result<Option<Self>> {
        let data = TempDir::new()?;
        // etcd chooses no port itself.
        let [port, peers] = [free_port()?, free_port()?];
        let [clients, peers] = [port, peers].map(|port| format!("http://127.0.0.1:{port}"));
        let started = Command::new("etcd")
            .arg("--data-dir")
            .arg(data.path())
            .args(["--listen-client-urls", &clients, "--advertise-client-urls", &clients])
            .args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers])
            .args(["--initial-cluster", &format!("default={peers}")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let process = match started {
            Ok(process) => process,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                eprintln!("no etcd here (Debian's etcd-server): left out");
                return Ok(None);
            }
            Err(error) => return Err(error).context("starting etcd"),
        };
        let mut etcd = Self { process, port, _data: data };
        for _ in 0..300 {
            if crate::http::get(&format!("127.0.0.1:{port}"), "/health").is_ok_and(|answer| answer.contains("true")) {
                return Ok(Some(etcd));
            }
            if let Some(status) = etcd.process.try_wait()? {
                bail!("etcd ended: {status}");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        bail!("etcd does not answer")
    }

    /// `etcd://127.0.0.1:PORT/PREFIX`.
    pub fn url(&self, prefix: &str) -> String {
        format!("etcd://127.0.0.1:{}/{prefix}", self.port)
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// Where there is no `kill`.
    pub fn signal(&self, signal: &str) -> Result<()> {
        let status = Command::new("kill").arg(format!("-{signal}")).arg(self.process.id().to_string()).status()?;
        if status.success() { Ok(()) } else { bail!("kill -{signal}: {status}") }
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
