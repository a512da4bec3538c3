//! A cut, a batch and a number of servers, and what an epoch takes by them.

use serde::Serialize;

use crate::resources::Resource;

/// A cut, a batch and a number of servers, with the epoch that they give.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Choice {
    /// The cut's name in the profile.
    pub cut: String,
    /// Whether what travels is coded without loss.
    pub coded: bool,
    /// Bytes of an image that travel.
    pub bytes: f64,
    /// Images that a server's core takes at once.
    pub batch: u32,
    /// How many servers work: the first so many of the fleet.
    pub servers: usize,
    /// Seconds of an epoch.
    pub epoch_seconds: f64,
    /// Seconds of an epoch over its images.
    pub seconds_per_image: f64,
    /// Images over seconds of an epoch; null where it takes none.
    pub images_per_second: Option<f64>,
    /// Seconds of the epoch's stages.
    pub stages: StageSeconds,
    /// What the epoch waits for: `storage-cpu:N`, `storage-device:N`, `server-network:N` (the server, from 0),
    /// `network` or `trainer-cpu`.
    pub waits_for: Resource,
}

/// Seconds for which each stage works in an epoch. They work at the same time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct StageSeconds {
    /// The cores of the server that takes longest.
    pub storage: f64,
    /// The devices of the server that takes longest; absent where no server has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<f64>,
    /// The network that takes longest: the tuner's, or a server's.
    pub network: f64,
    /// The tuner's cores.
    pub tuner: f64,
    /// The first and the last batch, in the stages that are not the longest.
    pub fill: f64,
}

// === impl StageSeconds ===

impl StageSeconds {
    /// Seconds of the epoch.
    pub fn epoch(&self) -> f64 {
        self.storage.max(self.network).max(self.tuner).max(self.device.unwrap_or(0.0)) + self.fill
    }
}
