//! A server of a profile: which samples it has, and what it said of itself.

use headwater_types::{Digest, Way};
use serde::{Deserialize, Serialize};

use crate::quantities::Cores;

/// One server's part of a profiled dataset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Server {
    /// `HOST:PORT`; for an imported profile a name.
    pub address: String,
    /// The digest of its partition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Index in the dataset of its first sample.
    pub first: u64,
    /// How many samples it has.
    pub samples: u64,
    /// Its CPU pool, as it announced it (`--cpu-workers`): what a planner takes where nothing else is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_workers: Option<Cores>,
    /// Ways that it cannot serve, whatever cores it has: `features`, where the model is not registered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacks: Vec<Way>,
}

// === impl Server ===

impl Server {
    /// Index in the dataset of the first sample behind it. Saturates.
    pub fn end(&self) -> u64 {
        self.first.saturating_add(self.samples)
    }
}
