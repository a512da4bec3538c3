//! Why no partition can be planned.

use super::limits::MAX_SERVERS;

/// Why no partition can be planned.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PartitionError {
    /// There is no server, or there are too many.
    #[error("a fleet has 1 to {MAX_SERVERS} servers, and this has {given}")]
    Servers {
        /// How many there are.
        given: usize,
    },
    /// A server's share of the images is none.
    #[error("server {place} has the share {share}: give a number above 0, at most 1e9")]
    Share {
        /// The server, from 0.
        place: usize,
        /// Its share.
        share: f64,
    },
    /// There is nothing to do.
    #[error("there are no images: give 1 or more")]
    NoImages,
    /// The profile was measured on devices, and a server has none.
    #[error(
        "the profile is of servers that run the network on devices, and server {place} has none: say which it has \
         (devices=N), or measure again at servers whose cores run it"
    )]
    NoDevices {
        /// The server, from 0.
        place: usize,
    },
    /// Servers have devices, and the profile does not say what fronts take of them.
    #[error(
        "servers have devices, and the profile does not say what they take: it needs the cut features, and pixels \
         before the network; measure again with profiler model"
    )]
    NoDeviceTimes,
    /// No cut can be used by any number of servers.
    #[error(
        "no cut of the profile can be used: each needs cores that a server or the tuner lacks, or more memory than a \
         server has; give servers cores and memory, and the tuner cores"
    )]
    NoWay,
}
