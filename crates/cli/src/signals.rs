//! Signals: the first SIGTERM or SIGINT asks for a graceful stop, the second ends at once.
//!
//! Exit codes: a server that drained leaves with 0; a tool that was interrupted leaves with 128 + the signal's number,
//! as shells expect (130 after SIGINT, 143 after SIGTERM). Return [`Signal`] as the error for the latter.

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
}

/// The process's stop signals, from the moment of [`Signals::install`] on; their default action is off from then.
#[derive(Debug)]
pub struct Signals {
    interrupt: unix::Signal,
    terminate: unix::Signal,
    _too_large: unix::Signal,
}

/// SIGXFSZ: a file would grow past the process's limit (`ulimit -f`). By default it kills, without a word and with what was being
/// written; taken over, the write fails instead, and its error is told like any other.
const TOO_LARGE: i32 = 25;

/// How work ended that signals may stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended<T> {
    /// By itself, or gracefully after the signal in `asked`.
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
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

// === impl Signals ===

impl Signals {
    /// Takes over SIGINT and SIGTERM. Call it within the runtime, before anything that takes time.
    pub fn install() -> io::Result<Self> {
        Ok(Self {
            interrupt: unix::signal(SignalKind::interrupt())?,
            terminate: unix::signal(SignalKind::terminate())?,
            _too_large: unix::signal(SignalKind::from_raw(TOO_LARGE))?,
        })
    }

    /// The next signal: the first call waits for the first, the second for the second.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
        }
    }

    /// Runs `work`: the first signal cancels `stop` and lets it finish, the second drops it.
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
            second = self.next() => Ended::Dropped(second),
        }
    }
}
