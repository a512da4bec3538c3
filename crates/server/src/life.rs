//! What a server is doing, from its start to its end: the one place that calls, health, readiness, systemd and the log
//! ask.
//!
//! ```text
//! starting (loading a model, listing ...) ─▶ serving ─▶ draining
//! ```
//!
//! A server listens before it is ready, so that clients that wait for it hear what it is doing. It serves a dataset as
//! soon as that one is listed, and counts as ready when no dataset is being listed for the first time any more.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use headwater_wire::status::Refusal;
use tokio_util::sync::CancellationToken;

use crate::datasets::Datasets;
use crate::house::House;

/// A server's life, of which there is one for all.
pub(crate) struct Life {
    /// The step of opening what all datasets share.
    doing: Mutex<String>,
    house: OnceLock<Arc<House>>,
    pub(crate) datasets: Arc<Datasets>,
    /// Cancelled when the server begins to drain.
    stop: CancellationToken,
}

/// Where a server is in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The server is not ready, and is doing this.
    Starting(String),
    /// The server serves; what it cannot serve is told, where there is any.
    Serving(String),
    Draining,
}

// === impl Life ===

impl Life {
    pub(crate) fn new(datasets: Arc<Datasets>, stop: CancellationToken) -> Self {
        Self { doing: Mutex::default(), house: OnceLock::new(), datasets, stop }
    }

    /// Begins the next step of opening what all datasets share.
    pub(crate) fn begin(&self, what: impl Into<String>) {
        let what = what.into();
        tracing::debug!(doing = what, "starting");
        *self.doing.lock().unwrap_or_else(PoisonError::into_inner) = what;
    }

    /// Says that datasets are served from now on, each once it is listed.
    pub(crate) fn serve(&self, house: Arc<House>) {
        // A server begins to serve once.
        let _ = self.house.set(house);
    }

    /// What all datasets share, once it is open.
    pub(crate) fn house(&self) -> Result<&Arc<House>, Refusal> {
        let refusal = || match self.stop.is_cancelled() {
            true => Refusal::Stopping,
            false => Refusal::Starting { doing: self.doing() },
        };
        self.house.get().ok_or_else(refusal)
    }

    /// Cancelled when the server begins to drain.
    pub(crate) fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    pub(crate) fn phase(&self) -> Phase {
        if self.stop.is_cancelled() {
            return Phase::Draining;
        }
        match self.house.get() {
            None => Phase::Starting(self.doing()),
            Some(_) => self.datasets.doing().map_or_else(|| Phase::Serving(self.datasets.broken()), Phase::Starting),
        }
    }

    /// The step of opening what all datasets share; before the first, what is done about the datasets.
    fn doing(&self) -> String {
        let doing = self.doing.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if doing.is_empty() { self.datasets.doing().unwrap_or_default() } else { doing }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting(doing) => write!(f, "starting: {doing}"),
            Self::Serving(broken) if broken.is_empty() => f.write_str("ready"),
            Self::Serving(broken) => write!(f, "ready, but {broken}"),
            Self::Draining => f.write_str("draining: open streams go on, and no others are taken"),
        }
    }
}

#[cfg(test)]
mod tests {
    use headwater_types::Partition;

    use super::*;
    use crate::doing::Doing;
    use crate::served::Served;

    #[test]
    fn a_server_that_starts_says_what_it_does() {
        let stop = CancellationToken::new();
        let served = Arc::new(Served::new("photos".parse().unwrap(), Partition::ALL, "--data".to_owned()));
        let life = Life::new(Arc::new(Datasets::new(vec![Arc::clone(&served)])), stop.clone());
        assert_eq!(life.phase().to_string(), "starting: opening the dataset photos");
        life.begin("loading model mobilenet");
        served.begin(Doing::step("opening /srv/photos"));
        assert_eq!(life.phase().to_string(), "starting: loading model mobilenet");
        let refusal = life.house().err().unwrap();
        assert_eq!(refusal, Refusal::Starting { doing: "loading model mobilenet".to_owned() });
        let refusal = served.generation(None).err().unwrap();
        assert_eq!(refusal, Refusal::Starting { doing: "opening /srv/photos".to_owned() });
        stop.cancel();
        assert_eq!((life.phase(), life.house().err().unwrap()), (Phase::Draining, Refusal::Stopping));
    }
}
