//! Messages to systemd, where it has started this server, by `sd_notify(3)`, which is a datagram of `KEY=VALUE` lines
//! to the socket that `NOTIFY_SOCKET` names. Elsewhere nothing is sent.
//!
//! The server says `READY=1` once it serves and `STOPPING=1` once it drains. `STATUS=` has the same words that clients
//! get. It asks for more time to start (`EXTEND_TIMEOUT_USEC`) as long as the words change, and says `WATCHDOG=1` in
//! half the time that the unit's `WatchdogSec` allows.
//!
//! There is no crate or libsystemd for it: it is a socket and a few words.

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::life::{Life, Phase};

/// The way to systemd; nothing is sent where systemd has not started this server.
#[derive(Debug, Default)]
pub(crate) struct Supervisor {
    socket: Option<UnixDatagram>,
    /// How often systemd expects a sign of life.
    watchdog: Option<Duration>,
}

/// How often the status is told anew while a server starts.
const EVERY: Duration = Duration::from_secs(1);
/// How long a server may go on starting from each change of its words: a network disk may hang for some minutes and
/// come back, and an accelerator's engine takes as long to build.
const PATIENCE: Duration = Duration::from_secs(300);

// === impl Supervisor ===

impl Supervisor {
    /// The way that the environment names.
    pub(crate) fn from_environment() -> Self {
        let text = |name| std::env::var(name).ok();
        let socket = std::env::var_os("NOTIFY_SOCKET").filter(|path| !path.is_empty());
        let own = text("WATCHDOG_PID").is_none_or(|pid| pid == std::process::id().to_string());
        let watchdog = text("WATCHDOG_USEC").filter(|_| own).and_then(|micros| micros.parse().ok());
        let opened = socket.map(|path| {
            open(&path).inspect_err(|error| {
                let path = path.display();
                tracing::warn!(
                    %path,
                    %error,
                    "cannot tell NOTIFY_SOCKET that the server is ready: systemd will think that it is not"
                );
            })
        });
        Self { socket: opened.and_then(Result::ok), watchdog: watchdog.map(Duration::from_micros) }
    }

    pub(crate) fn ready(&self, status: &str) {
        self.send(&format!("READY=1\nSTATUS={status}"));
    }

    /// Says that the server lists its datasets anew, until it is ready again.
    pub(crate) fn reloading(&self) {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        let micros = i128::from(now.tv_sec) * 1_000_000 + i128::from(now.tv_nsec) / 1000;
        self.send(&format!("RELOADING=1\nMONOTONIC_USEC={micros}\nSTATUS=listing the datasets anew"));
    }

    /// Says that the end begins, and takes at most so long.
    pub(crate) fn stopping(&self, status: &str, most: Duration) {
        let micros = (most + EVERY).as_micros();
        self.send(&format!("STOPPING=1\nSTATUS={status}\nEXTEND_TIMEOUT_USEC={micros}"));
    }

    /// Says how starting goes, and that the server lives, until `ended` is cancelled.
    pub(crate) async fn follow(self: Arc<Self>, life: Arc<Life>, end: CancellationToken) {
        if self.socket.is_none() {
            return;
        }
        let every = self.watchdog.map_or(EVERY, |watchdog| EVERY.min(watchdog / 2).max(Duration::from_millis(1)));
        let (mut ticks, mut last) = (tokio::time::interval(every), None);
        while end.run_until_cancelled(ticks.tick()).await.is_some() {
            let phase = life.phase();
            if let Phase::Starting(_) = phase
                && last.as_ref() != Some(&phase)
            {
                self.send(&format!("STATUS={phase}\nEXTEND_TIMEOUT_USEC={}", PATIENCE.as_micros()));
                last = Some(phase);
            }
            if self.watchdog.is_some() {
                self.send("WATCHDOG=1");
            }
        }
    }

    fn send(&self, words: &str) {
        let Some(socket) = &self.socket else { return };
        if let Err(error) = socket.send(words.as_bytes()) {
            tracing::debug!(%error, "systemd was not told");
        }
    }
}

/// A path, or the name of an abstract socket behind an `@`.
fn open(path: &OsStr) -> io::Result<UnixDatagram> {
    let address = match path.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(path)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.connect_addr(&address)?;
    // A socket that is not read must not hold up the server.
    socket.set_nonblocking(true)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The messages that came, in their order.
    fn received(socket: &UnixDatagram) -> Vec<String> {
        socket.set_nonblocking(true).unwrap();
        let mut buffer = [0; 1000];
        let mut all = Vec::new();
        while let Ok(bytes) = socket.recv(&mut buffer) {
            all.push(String::from_utf8(buffer[..bytes].to_vec()).unwrap());
        }
        all
    }

    fn supervisor(path: &OsStr, watchdog: Option<Duration>) -> Arc<Supervisor> {
        Arc::new(Supervisor { socket: Some(open(path).unwrap()), watchdog })
    }

    #[test]
    fn a_path_and_an_abstract_name_are_sockets() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("notify");
        let name = format!("headwater-test-{}", std::process::id());
        let by_name = SocketAddr::from_abstract_name(&name).unwrap();
        for (socket, address) in [
            (UnixDatagram::bind(&path).unwrap(), path.as_os_str().to_owned()),
            (UnixDatagram::bind_addr(&by_name).unwrap(), format!("@{name}").into()),
        ] {
            let supervisor = supervisor(&address, None);
            supervisor.ready("serving");
            supervisor.reloading();
            supervisor.stopping("draining", Duration::from_secs(10));
            let said = received(&socket);
            let expected = ["READY=1\nSTATUS=serving", "STOPPING=1\nSTATUS=draining\nEXTEND_TIMEOUT_USEC=11000000"];
            assert_eq!([&said[0], &said[2]], expected);
            let micros = said[1].strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap().split_once('\n').unwrap().0;
            assert!(micros.parse::<u64>().unwrap() > 0, "{said:?}");
        }
        assert!(open(folder.path().join("nobody").as_os_str()).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn starting_is_told_as_long_as_its_words_change_and_life_as_often_as_asked() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        let (life, end) = (Arc::new(Life::new(Arc::default(), CancellationToken::new())), CancellationToken::new());
        life.begin("loading model m");
        let supervisor = supervisor(path.as_os_str(), Some(Duration::from_secs(1)));
        let following = tokio::spawn(supervisor.follow(Arc::clone(&life), end.clone()));
        tokio::time::sleep(Duration::from_millis(1700)).await;
        life.begin("listing /srv/photos");
        tokio::time::sleep(Duration::from_millis(1500)).await;
        end.cancel();
        following.await.unwrap();
        let said = received(&socket);
        let words: Vec<_> = said.iter().filter(|line| line.starts_with("STATUS=")).collect();
        let expected = ["loading model m", "listing /srv/photos"];
        let status = expected.map(|what| format!("STATUS=starting: {what}\nEXTEND_TIMEOUT_USEC=300000000"));
        assert_eq!(words, status.iter().collect::<Vec<_>>());
        assert_eq!(said.iter().filter(|line| *line == "WATCHDOG=1").count(), 7, "{said:?}");
    }
}
