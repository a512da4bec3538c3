//! Connections that the server itself ends: why, and how many.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

use super::labels::EndingLabel;
use crate::seldom::Seldom;

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// All of `--max-connections` were in use: it was told so.
    Full,
    /// Its first words did not come within `--handshake-timeout`.
    Handshake,
    /// It had not said what it wants when too many others came.
    Displaced,
    /// It speaks something else.
    NotHttp2,
    /// It had no call for `--idle-timeout`.
    Idle,
    /// On the metrics port: its request took too long.
    Slow,
}

/// Counts them, and says when it is time to log one.
#[derive(Debug, Default)]
pub(crate) struct Endings {
    pub(super) counted: Family<EndingLabel, Counter>,
    logged: [Seldom; Ending::ALL.len()],
}

// === impl Ending ===

impl Ending {
    pub(super) const ALL: [Self; 6] =
        [Self::Full, Self::Handshake, Self::Displaced, Self::NotHttp2, Self::Idle, Self::Slow];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Handshake => "handshake",
            Self::Displaced => "displaced",
            Self::NotHttp2 => "not-http2",
            Self::Idle => "idle",
            Self::Slow => "slow",
        }
    }
}

// === impl Endings ===

impl Endings {
    /// One more; how many there were since the last that was logged, where it is time for another line.
    pub(crate) fn count(&self, ending: Ending) -> Option<u64> {
        self.counted.get_or_create(&EndingLabel { reason: ending.as_str() }).inc();
        self.logged[ending as usize].again()
    }
}
