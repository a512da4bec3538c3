//! A server of a profile: which samples it has, and what it said of itself.

use headwater_types::{DevicePool, Digest, Way};
use serde::{Deserialize, Serialize};

use crate::quantities::Cores;

/// One server's part of a profiled dataset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Server {
    /// `HOST:PORT`; for an imported profile a name.
    pub address: String,
    /// The digest of the server's partition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The index in the dataset of the server's first sample.
    pub first: u64,
    /// The number of samples that the server has.
    pub samples: u64,
    /// The threads of the server's CPU pool, as it announced them (`--cpu-workers`). A planner takes them where nothing
    /// else is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_workers: Option<Cores>,
    /// The devices on which the server ran the profile's model, as it announced them: then CPU seconds at `features`
    /// are those beside the devices. `None` where it ran on the server's cores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub devices: Option<DevicePool>,
    /// Ways that the server cannot serve, whatever cores it has: `features`, where the model is not registered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacks: Vec<Way>,
}

// === impl Server ===

impl Server {
    /// The index in the dataset of the first sample behind the server's. Saturates.
    pub fn end(&self) -> u64 {
        self.first.saturating_add(self.samples)
    }
}
