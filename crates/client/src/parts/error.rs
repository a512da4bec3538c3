//! Parts that do not make a dataset, in words.

use headwater_types::Partition as Part;

use crate::parts::holders::{Holders, Missing, Named};
use headwater_discovery::ServerAddress;

/// Parts that do not make a dataset.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PartsError {
    /// Two servers serve the same part, or both serve everything, with other versions of some photos.
    #[error(
        "servers {first} and {second} both serve {} of the same {samples} samples, and cannot stand in for each other: \
         some photos have other sizes or times of change; copy them with their times (rsync -a), start each with a \
         part of its own (--partition 1/2, --partition 2/2), or leave one of them out",
        Named(*part)
    )]
    Doubled {
        /// The part that both have.
        part: Part,
        /// A server that has it.
        first: ServerAddress,
        /// Another server that has it.
        second: ServerAddress,
        /// Samples of the whole listing.
        samples: u64,
    },
    /// Servers divide one listing by different numbers of parts: some samples come twice, some perhaps never.
    #[error(
        "servers divide the same {samples} samples differently, and {served} would come, some twice or never: \
         {holders}; start all with --partition K/N of one N, each with a K of its own"
    )]
    Unlike {
        /// Who serves which part.
        holders: Holders,
        /// Samples that the servers serve together.
        served: u64,
        /// Samples of the whole listing.
        samples: u64,
    },
    /// There are parts that no server serves.
    #[error(
        "{0}: name the servers of those parts too, or insist on what is there with --allow-partial (in Python \
         allow_partial=True)"
    )]
    Missing(Missing),
    /// The listings of two servers are nearly the same.
    #[error(
        "servers {first} ({} of {} samples) and {second} ({} of {}) have found different photos, though about {} % of \
         the smaller listing are in both, by name and size: some would come twice, or never; give both the same \
         photos, such as by rsync -a --delete, and each a part of its own (--partition 1/2, --partition 2/2), or \
         leave one of them out",
        Named(parts.0), samples.0, Named(parts.1), samples.1, (shared * 100.0).round()
    )]
    Drifted {
        /// A server.
        first: ServerAddress,
        /// The server whose listing is nearly the same.
        second: ServerAddress,
        /// The parts of the two servers.
        parts: (Part, Part),
        /// The samples of the two whole listings.
        samples: (u64, u64),
        /// An estimate of the share of the smaller listing that is in the other, from 0 to 1.
        shared: f64,
    },
}
