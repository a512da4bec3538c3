//! What came of spans that were to be sent at once.

use std::time::Duration;

/// How long the end of a process may wait for its last spans.
pub const FLUSH: Duration = Duration::from_secs(2);

/// What came of the spans that waited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flushed {
    /// Whether nothing waits any more.
    pub in_time: bool,
    /// Spans that no collector has had, since the start.
    pub lost: u64,
}
