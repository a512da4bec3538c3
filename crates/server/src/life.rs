//! What a server is doing, from its start to its end: the one place that calls, health, readiness, systemd and the log
//! ask.
//!
//! ```text
//! starting (loading a model, listing ...) ─▶ serving ─▶ draining
//! ```
//!
//! A server listens before it is ready, so that clients that wait for it hear what it is doing.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use headwater_store::Found;
use headwater_wire::status::Refusal;
use tokio_util::sync::CancellationToken;

use crate::shared::Shared;

/// A server's life, of which there is one for all.
pub(crate) struct Life {
    doing: Mutex<Doing>,
    shared: OnceLock<Arc<Shared>>,
    /// Cancelled when the server begins to drain.
    stop: CancellationToken,
}

/// A step of starting, in words such as `listing /srv/photos`.
#[derive(Clone, Debug, Default)]
struct Doing {
    what: String,
    found: Option<Found>,
}

/// Where a server is in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The server is not ready, and is doing this.
    Starting(String),
    Serving,
    Draining,
}

// === impl Life ===

impl Life {
    pub(crate) fn new(stop: CancellationToken) -> Self {
        Self { doing: Mutex::default(), shared: OnceLock::new(), stop }
    }

    /// Begins the next step of starting.
    pub(crate) fn begin(&self, what: impl Into<String>) {
        self.set(Doing { what: what.into(), found: None });
    }

    /// Begins a step that counts the files that it has found.
    pub(crate) fn begin_listing(&self, what: impl Into<String>, found: Found) {
        self.set(Doing { what: what.into(), found: Some(found) });
    }

    /// Says that the server serves from now on.
    pub(crate) fn serve(&self, shared: Arc<Shared>) {
        // A server begins to serve once.
        let _ = self.shared.set(shared);
    }

    /// What calls need, once there is something to serve.
    pub(crate) fn shared(&self) -> Result<&Arc<Shared>, Refusal> {
        let refusal = || match self.stop.is_cancelled() {
            true => Refusal::Stopping,
            false => Refusal::Starting { doing: self.doing() },
        };
        self.shared.get().ok_or_else(refusal)
    }

    /// Cancelled when the server begins to drain.
    pub(crate) fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    pub(crate) fn phase(&self) -> Phase {
        match self.shared.get() {
            _ if self.stop.is_cancelled() => Phase::Draining,
            Some(_) => Phase::Serving,
            None => Phase::Starting(self.doing()),
        }
    }

    fn doing(&self) -> String {
        self.doing.lock().unwrap_or_else(PoisonError::into_inner).to_string()
    }

    fn set(&self, doing: Doing) {
        tracing::debug!(%doing, "starting");
        *self.doing.lock().unwrap_or_else(PoisonError::into_inner) = doing;
    }
}

impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.found {
            Some(found) => {
                write!(f, ", {} files so far", grouped(found.get()))?;
                found.trouble().map_or(Ok(()), |trouble| write!(f, "; {trouble}"))
            }
            None => Ok(()),
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting(doing) => write!(f, "starting: {doing}"),
            Self::Serving => f.write_str("ready"),
            Self::Draining => f.write_str("draining: open streams go on, and no others are taken"),
        }
    }
}

/// A number with a comma at every third digit.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let comma = |place: usize| if place > 0 && (digits.len() - place).is_multiple_of(3) { "," } else { "" };
    digits.char_indices().map(|(place, digit)| format!("{}{digit}", comma(place))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_starts_says_what_it_does_and_how_far_it_is() {
        let (stop, found) = (CancellationToken::new(), Found::default());
        let life = Life::new(stop.clone());
        life.begin("loading model mobilenet");
        assert_eq!(life.phase().to_string(), "starting: loading model mobilenet");
        life.begin_listing("listing /srv/photos", found.clone());
        found.add(12_000);
        assert_eq!(life.phase().to_string(), "starting: listing /srv/photos, 12,000 files so far");
        let refusal = life.shared().err().unwrap();
        assert_eq!(refusal, Refusal::Starting { doing: "listing /srv/photos, 12,000 files so far".to_owned() });
        stop.cancel();
        assert_eq!((life.phase(), life.shared().err().unwrap()), (Phase::Draining, Refusal::Stopping));
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
