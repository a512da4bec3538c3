//! Connections that the server itself ends: why, and how many.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

use super::labels::EndingLabel;
use crate::seldom::Seldom;

/// Why the server ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// All of `--max-connections` were in use, and the peer was told so.
    Full,
    /// The peer's first words did not come within `--handshake-timeout`.
    Handshake,
    /// The peer had not said what it wants when too many others came.
    Displaced,
    /// The peer does not speak HTTP/2.
    NotHttp2,
    /// The peer and this server do not trust each other, or have no TLS in common.
    Tls,
    /// The peer does not speak TLS, and was told that it must.
    Plain,
    /// The connection had no call for `--idle-timeout`.
    Idle,
    /// The connection had no call, and its client most of the places, when a client with fewer came.
    Ceded,
    /// The connection was to the metrics port, and its request took too long.
    Slow,
}

/// Counts ended connections, and says when it is time for a line in the log.
#[derive(Debug, Default)]
pub(crate) struct Endings {
    pub(super) counted: Family<EndingLabel, Counter>,
    logged: [Seldom; Ending::ALL.len()],
}

// === impl Ending ===

impl Ending {
    pub(super) const ALL: [Self; 9] = [
        Self::Full,
        Self::Handshake,
        Self::Displaced,
        Self::NotHttp2,
        Self::Tls,
        Self::Plain,
        Self::Idle,
        Self::Ceded,
        Self::Slow,
    ];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Handshake => "handshake",
            Self::Displaced => "displaced",
            Self::NotHttp2 => "not-http2",
            Self::Tls => "tls",
            Self::Plain => "plain",
            Self::Idle => "idle",
            Self::Ceded => "ceded",
            Self::Slow => "slow",
        }
    }
}

// === impl Endings ===

impl Endings {
    /// Counts one more. Gives how many there were since the last line in the log, where it is time for another.
    pub(crate) fn count(&self, ending: Ending) -> Option<u64> {
        self.counted.get_or_create(&EndingLabel { reason: ending.as_str() }).inc();
        self.logged[ending as usize].again()
    }
}
