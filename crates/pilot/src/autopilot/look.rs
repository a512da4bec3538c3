//! What a pilot sees of an epoch that runs.

use std::time::Duration;

/// What is seen when a pilot looks: sums since the beginning.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// Time since the beginning.
    pub at: Duration,
    /// Bytes received.
    pub received: u64,
    /// Time in which bytes that somebody waited for were underway.
    pub arriving: Duration,
    /// Time by which timers fired late. In this time nobody could take what had come.
    pub late: Duration,
}
