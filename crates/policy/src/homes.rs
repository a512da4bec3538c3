//! Which of several servers keeps a sample: its home, by highest random weight (Thaler and Ravishankar, "Using
//! name-based mappings to increase hit rates", IEEE/ACM Transactions on Networking 6(1), 1998).
//!
//! ```text
//! weight(server, sample) = mixed(hash(server's name) ^ hash(dataset, key))        home = the server of the largest
//! ```
//!
//! Every server computes the same home from the same names, and nothing is written down for any sample. A server that
//! leaves hands on the samples that it was the home of, to all others evenly; one that joins takes its share from all
//! others. No other sample moves, which is what a remainder of a hash could not promise, and a ring of hashes only
//! with many points for each server.

use headwater_types::digest::Digester;
use headwater_types::{DatasetName, Digest, SampleKey, ServerName};

/// A server, as homes are computed with it. It depends on the server's name alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host(u64);

/// A sample, as homes are computed with it. It depends on the dataset's name and the sample's key alone: neither on
/// where a server has mounted the dataset, nor on the sample's version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guest(u64);

// === impl Host ===

impl Host {
    /// The server of this name.
    pub fn new(name: &ServerName) -> Self {
        Self(folded(Digest::of(name.as_str().as_bytes())))
    }

    /// How much the server is this sample's home.
    fn weight(self, guest: Guest) -> u64 {
        mixed(mixed(self.0 ^ guest.0).wrapping_add(self.0))
    }
}

// === impl Guest ===

impl Guest {
    /// A sample of a dataset.
    pub fn new(dataset: &DatasetName, key: &SampleKey) -> Self {
        let fields = [dataset.as_str(), key.as_str()];
        Self(folded(Digester::default().field(fields[0].as_bytes()).field(fields[1].as_bytes()).finish()))
    }

    /// The place of this sample's home among these servers; `None` where there are none. Of servers with equal weights,
    /// which two names do not have in practice, it is the one whose hash is larger, in whichever order they come.
    pub fn home(self, hosts: impl IntoIterator<Item = Host>) -> Option<usize> {
        let weighed = hosts.into_iter().enumerate().map(|(place, host)| ((host.weight(self), host.0), place));
        weighed.max().map(|(_, place)| place)
    }
}

/// The first 64 bits of a digest.
fn folded(digest: Digest) -> u64 {
    let (first, _) = digest.as_bytes().split_first_chunk().unwrap_or((&[0; 8], &[]));
    u64::from_le_bytes(*first)
}

/// Every bit of the outcome depends on every bit of what is mixed: the finalizer of SplitMix64 (Steele et al., OOPSLA
/// 2014).
const fn mixed(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
