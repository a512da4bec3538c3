//! What a cache is asked to be.

use std::path::PathBuf;

use headwater_policy::PolicyName;
use headwater_types::digest::Digester;
use headwater_types::{ByteCount, Digest};

/// What a cache is asked to be.
#[derive(Clone, Debug)]
pub struct NodeSettings {
    /// Where memory is: /dev/shm.
    pub shared_memory: PathBuf,
    /// By which processes find the same cache.
    pub name: String,
    /// Samples of the dataset.
    pub samples: u64,
    /// Whatever else tells the dataset from others, its version for one.
    pub dataset: Vec<String>,
    /// Most bytes of files in memory, the cache's own table included.
    pub memory: ByteCount,
    /// The folder on the SSD, and the most bytes of files there.
    pub ssd: Option<(PathBuf, ByteCount)>,
    /// Which values stay; `None`: `planned`, and `importance` once losses are reported.
    pub policy: Option<PolicyName>,
}

// === impl NodeSettings ===

impl NodeSettings {
    /// The digest of the dataset: of any other, no value is found.
    pub fn identity(&self) -> Digest {
        let mut digester = Digester::default();
        digester.field(b"headwater node cache 1").field(&self.samples.to_le_bytes());
        for part in &self.dataset {
            digester.field(part.as_bytes());
        }
        digester.finish()
    }

    /// The cache's folder in memory.
    pub(super) fn folder(&self, user: u32) -> PathBuf {
        self.shared_memory.join(format!("{}{}", prefix(user), Digest::of(self.name.as_bytes()).short()))
    }
}

/// How the folders of a user's caches begin.
pub(super) fn prefix(user: u32) -> String {
    format!("headwater-{user}-")
}
