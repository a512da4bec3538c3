//! Signals: the first SIGTERM, SIGINT or SIGHUP asks for a graceful stop, a second SIGTERM or SIGINT ends at once. Of a
//! server SIGHUP asks for something else: see [`Hangups`].
//!
//! | signal | what it does |
//! |---|---|
//! | SIGINT, SIGTERM | asks for a graceful stop; the second of them ends at once |
//! | SIGHUP, as by a terminal that is closed | asks as well, but is never the second (see below) |
//! | SIGUSR1, SIGUSR2 | nothing, and a line in the log: by default they kill |
//! | SIGQUIT, as by Ctrl-\\ | ends at once, by default: who sends it wants that |
//! | SIGPIPE, SIGXFSZ | nothing: the write fails, and its error is reported like any other |
//!
//! SIGHUP is never the second signal: a shell sends it beside the kernel, and systemd (`SendSIGHUP=`) beside SIGTERM.
//! Under `nohup` it does nothing. A server takes it apart from the others, under `nohup` too: it then asks for no stop.
//!
//! Exit codes: a server that drained leaves with 0; a tool that was interrupted leaves with 128 + the signal's number,
//! as shells expect (130 after SIGINT, 143 after SIGTERM, 129 after SIGHUP). Return [`Signal`] as the error for the
//! latter.

use std::future::Future;
use std::io;

use tokio::signal::unix::{self, SignalKind};
use tokio_util::sync::CancellationToken;

/// A signal that asks the process to stop; as an error, that a tool did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Signal {
    /// SIGINT, as by Ctrl-C.
    #[error("interrupted")]
    Interrupt,
    /// SIGTERM, as by systemd or Kubernetes.
    #[error("terminated")]
    Terminate,
    /// SIGHUP, as by a terminal that was closed.
    #[error("hung up")]
    Hangup,
}

/// The process's stop signals, from the moment of [`Signals::install`] on; their default action is off from then.
#[derive(Debug)]
pub struct Signals {
    interrupt: unix::Signal,
    terminate: unix::Signal,
    /// `None` where whoever started the process has it ignored.
    hangup: Option<unix::Signal>,
    /// What kills by default, and is not meant to.
    user: [unix::Signal; 2],
    _too_large: unix::Signal,
}

/// SIGHUP of a program for which it does not ask for a stop.
#[derive(Debug)]
pub struct Hangups(unix::Signal);

/// SIGXFSZ: a file would grow past the process's limit (`ulimit -f`). By default it kills, without a word and with what
/// was being written; taken over, the write fails instead, and its error is reported like any other.
const TOO_LARGE: i32 = 25;

/// How work ended that signals may stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended<T> {
    /// The work ended by itself, or gracefully after the signal in `asked`.
    Finished {
        /// What the work gave.
        value: T,
        /// The signal that had asked for the stop, if any.
        asked: Option<Signal>,
    },
    /// The second signal came first: the work was dropped where it stood.
    Dropped(Signal),
}

// === impl Signal ===

impl Signal {
    /// 128 + the signal's number.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Hangup => 129,
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

// === impl Signals ===

impl Signals {
    /// Takes over SIGINT, SIGTERM and SIGHUP. Call it within the runtime, before anything that takes time.
    pub fn install() -> io::Result<Self> {
        Ok(Self {
            interrupt: unix::signal(SignalKind::interrupt())?,
            terminate: unix::signal(SignalKind::terminate())?,
            hangup: if is_ignored(HANGUP) { None } else { Some(unix::signal(SignalKind::hangup())?) },
            user: [unix::signal(SignalKind::user_defined1())?, unix::signal(SignalKind::user_defined2())?],
            _too_large: unix::signal(SignalKind::from_raw(TOO_LARGE))?,
        })
    }

    /// The same with SIGHUP apart from what asks for a stop, for a program that does something else on it.
    pub fn install_apart() -> io::Result<(Self, Hangups)> {
        let hangups = Hangups(unix::signal(SignalKind::hangup())?);
        Ok((Self { hangup: None, ..Self::install()? }, hangups))
    }

    /// The next signal that asks for a stop.
    pub async fn next(&mut self) -> Signal {
        let [one, two] = &mut self.user;
        loop {
            let hangup = async {
                match &mut self.hangup {
                    Some(hangup) => hangup.recv().await,
                    None => std::future::pending().await,
                }
            };
            let ignored = tokio::select! {
                _ = self.interrupt.recv() => return Signal::Interrupt,
                _ = self.terminate.recv() => return Signal::Terminate,
                _ = hangup => return Signal::Hangup,
                _ = one.recv() => "SIGUSR1",
                _ = two.recv() => "SIGUSR2",
            };
            tracing::info!(signal = ignored, "a signal that means nothing here");
        }
    }

    /// The next that ends at once.
    async fn second(&mut self) -> Signal {
        loop {
            match self.next().await {
                Signal::Hangup => {}
                second => return second,
            }
        }
    }

    /// Runs `work`: the first signal cancels `stop` and lets it finish, a second SIGINT or SIGTERM drops it.
    pub async fn guard<T>(&mut self, stop: &CancellationToken, work: impl Future<Output = T>) -> Ended<T> {
        tokio::pin!(work);
        let first = tokio::select! {
            value = &mut work => return Ended::Finished { value, asked: None },
            signal = self.next() => signal,
        };
        tracing::info!(signal = %first, "stopping; a second signal ends at once");
        stop.cancel();
        tokio::select! {
            value = &mut work => Ended::Finished { value, asked: Some(first) },
            second = self.second() => Ended::Dropped(second),
        }
    }
}

// === impl Hangups ===

impl Hangups {
    /// Waits for the next. Some that come at the same time are one.
    pub async fn next(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

/// The number of SIGHUP.
const HANGUP: u32 = 1;

/// Whether whoever started this process has it ignore a signal, as `nohup` does: `SigIgn` of proc_pid_status(5).
fn is_ignored(signal: u32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask >> (signal - 1) & 1 == 1
}
