//! A storage server as a process.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::http::get;
use crate::process::program;
use crate::user::Unprivileged;

/// How long a server may take to be ready: the first model is measured for seconds, and CI's cores are slow.
const READY: Duration = Duration::from_secs(120);

/// What a server is started with.
#[derive(Clone, Debug, Default)]
pub struct ServerOptions {
    data: PathBuf,
    datasets: Vec<String>,
    arguments: Vec<OsString>,
    variables: Vec<(String, String)>,
    metrics: bool,
    log: Option<PathBuf>,
    bare: Option<PathBuf>,
    unprivileged: bool,
    place: Option<(String, u16)>,
}

/// A running server; killed when dropped.
pub struct Server {
    options: ServerOptions,
    child: Child,
    port: u16,
    metrics_port: Option<u16>,
    files: TempDir,
    _user: Option<Unprivileged>,
}

// === impl ServerOptions ===

impl ServerOptions {
    /// Serves this folder as the dataset `photos`.
    pub fn new(data: &Path) -> Self {
        Self { data: data.to_owned(), ..Self::default() }
    }

    /// Serves these datasets, each as `NAME=URI[,option=value]...`.
    pub fn several(datasets: &[String]) -> Self {
        Self { datasets: datasets.to_vec(), ..Self::default() }
    }

    /// Adds an argument.
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds arguments.
    pub fn args<'a>(self, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        arguments.into_iter().fold(self, |options, argument| options.arg(argument))
    }

    /// Sets an environment variable.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Registers a model.
    pub fn model(self, name: &str, file: &Path, recipe: &str) -> Self {
        self.arg("--model").arg(format!("{name}={},recipe={recipe}", file.display()))
    }

    /// Opens a metrics port too.
    pub fn metrics(mut self) -> Self {
        self.metrics = true;
        self
    }

    /// Writes its log to this file.
    pub fn log(mut self, file: &Path) -> Self {
        self.log = Some(file.to_owned());
        self
    }

    /// Runs this program, in an empty environment.
    pub fn bare(mut self, program: &Path) -> Self {
        self.bare = Some(program.to_owned());
        self
    }

    /// Listens at this address of this machine, and at this port.
    pub fn at(mut self, address: &str, port: u16) -> Self {
        self.place = Some((address.to_owned(), port));
        self
    }

    /// Runs it as somebody for whom permissions hold.
    pub fn unprivileged(mut self) -> Self {
        self.unprivileged = true;
        self
    }

    fn host(&self) -> &str {
        self.place.as_ref().map_or("127.0.0.1", |(host, _)| host)
    }

    /// The arguments that say what is served.
    fn what(&self) -> Vec<OsString> {
        if self.datasets.is_empty() {
            return vec!["--dataset".into(), "photos".into(), "--data".into(), self.data.clone().into()];
        }
        self.datasets.iter().flat_map(|dataset| ["--dataset".into(), dataset.into()]).collect()
    }

    /// Starts the server and waits until it is ready.
    ///
    /// # Errors
    /// If it ends or is not ready in two minutes.
    pub fn start(self) -> Result<Server> {
        let port = self.place.as_ref().map_or(0, |(_, port)| *port);
        Server::start(self, port)
    }
}

// === impl Server ===

impl Server {
    fn start(options: ServerOptions, port: u16) -> Result<Self> {
        let user = options.unprivileged.then(Unprivileged::new).transpose()?;
        let files = user.as_ref().map_or_else(TempDir::new, |user| TempDir::new_in(user.folder()))?;
        if let Some(user) = &user {
            user.own(files.path())?;
        }
        let port_file = files.path().join("port");
        let metrics_file = files.path().join("metrics-port");
        let mut command = match (&options.bare, &user) {
            (Some(program), _) => Command::new(program),
            (None, Some(user)) => user.command("storage-server")?,
            (None, None) => Command::new(program("storage-server")),
        };
        if options.bare.is_some() {
            command.env_clear().current_dir("/");
        }
        command
            .args(["serve", "--listen", &format!("{}:{port}", options.host())])
            .args(options.what())
            .arg("--port-file")
            .arg(&port_file)
            .args(&options.arguments)
            .env("HEADWATER_LOG", "warn")
            // Not the cache of whoever runs the tests.
            .env("HEADWATER_CACHE_DIR", files.path().join("index"))
            .env("HEADWATER_CACHE_MIN_FREE", "0")
            .envs(options.variables.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        if options.metrics {
            command.args(["--metrics-listen", "127.0.0.1:0", "--metrics-port-file"]).arg(&metrics_file);
        }
        if let Some(log) = &options.log {
            command.stderr(File::create(log)?);
        }
        let mut child = command.spawn().context("starting storage-server")?;
        let port = match read_port(&port_file, &mut child) {
            Ok(port) => port,
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(error);
            }
        };
        let metrics_port = options.metrics.then(|| read_port(&metrics_file, &mut child)).transpose()?;
        Ok(Self { options, child, port, metrics_port, files, _user: user })
    }

    /// `127.0.0.1:PORT`, or where [`ServerOptions::at`] has it listen.
    pub fn address(&self) -> String {
        format!("{}:{}", self.options.host(), self.port)
    }

    /// The port that it listens at.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The metrics port's address.
    pub fn metrics_address(&self) -> Option<String> {
        self.metrics_port.map(|port| format!("127.0.0.1:{port}"))
    }

    /// What the server's metrics port says.
    ///
    /// # Errors
    /// Where there is none, or it does not answer.
    pub fn metrics(&self) -> Result<String> {
        get(&self.metrics_address().context("no metrics port: see ServerOptions::metrics")?, "/metrics")
    }

    /// The server's process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What the server's metrics port says of one metric; `None` where it has none of that name. Labels are part of the
    /// name.
    ///
    /// # Errors
    /// As [`Server::metrics`].
    pub fn metric(&self, name: &str) -> Result<Option<f64>> {
        let value = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok();
        Ok(self.metrics()?.lines().find_map(value))
    }

    /// Sends a signal, such as `TERM`.
    ///
    /// # Errors
    /// If `kill` cannot be run.
    pub fn signal(&self, signal: &str) -> Result<()> {
        let status = Command::new("kill").args(["-s", signal, &self.pid().to_string()]).status()?;
        if !status.success() {
            bail!("kill -s {signal}: {status}");
        }
        Ok(())
    }

    /// Whether the process is still there.
    ///
    /// # Errors
    /// If the system cannot say.
    pub fn is_running(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// Waits for the process to end.
    ///
    /// # Errors
    /// If it is still there after so long.
    pub fn wait(&mut self, most: Duration) -> Result<ExitStatus> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if started.elapsed() > most {
                bail!("storage-server is still running after {most:?}");
            }
            nap();
        }
    }

    /// `kill -9`.
    ///
    /// # Errors
    /// If it cannot be killed.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// `kill -9`, then the same server again on the same port.
    ///
    /// # Errors
    /// If it does not come back.
    pub fn restart(self) -> Result<Self> {
        let (options, port) = (self.options.clone(), self.port);
        drop(self);
        Self::start(options, port)
    }

    /// Most memory that the process has had at a time, in bytes (`VmHWM`).
    ///
    /// # Errors
    /// Where there is no `/proc`.
    pub fn peak_memory(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib * 1024)
    }

    /// A folder that lives as long as the server.
    pub fn files(&self) -> &Path {
        self.files.path()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_port(file: &Path, child: &mut Child) -> Result<u16> {
    let started = Instant::now();
    while started.elapsed() < READY {
        if let Ok(text) = std::fs::read_to_string(file) {
            return text.trim().parse().context("the port file");
        }
        if let Some(status) = child.try_wait()? {
            bail!("storage-server ended before it was ready: {status}");
        }
        nap();
    }
    bail!("storage-server was not ready in {READY:?}")
}

#[expect(clippy::disallowed_methods, reason = "a test waits for another process, with nothing to be woken by")]
fn nap() {
    std::thread::sleep(Duration::from_millis(10));
}
