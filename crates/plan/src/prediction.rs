//! What a plan promises: seconds of each resource, the epoch that follows, and how far from the best it can be.

use serde::{Deserialize, Serialize};

use crate::resources::Resource;

/// What a plan promises.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// Samples whose cut is not `encoded`.
    pub offloaded: u64,
    /// Bytes of all payloads.
    pub bytes: u64,
    /// The largest of all resources' seconds.
    pub epoch: f64,
    /// No assignment of ways has a shorter epoch: the Lagrangian dual's best value, in seconds.
    pub bound: f64,
    /// How much longer than the bound the epoch may be: `epoch / bound - 1`, 0 where both are 0.
    pub gap: f64,
    /// Whether the epoch is known to be the shortest there is. Always where the gap is 0; a small dataset's plan may
    /// be, with a gap to a bound that no whole assignment reaches.
    pub proven: bool,
    /// The resource that takes longest.
    pub bottleneck: Resource,
    /// Every limited resource's time and price, in order.
    pub resources: Vec<ResourceTime>,
}

/// One resource's part of a prediction.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResourceTime {
    /// The resource.
    pub resource: Resource,
    /// Seconds that an epoch keeps it busy: bytes over bandwidth, CPU seconds over cores, samples over rate. Several
    /// devices are one resource, busy where all of them are.
    pub seconds: f64,
    /// The worth of a second of the resource, in seconds of the epoch: the dual price. Prices sum to 1; a resource that
    /// is not scarce costs nothing.
    pub price: f64,
}

/// Seconds by kind of resource. Of several servers the one that takes longest counts; a resource without limit has 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Seconds {
    /// Seconds of the slowest network.
    pub network: f64,
    /// Seconds of the servers' cores.
    pub storage_cpu: f64,
    /// Seconds of the servers' devices that infer.
    #[serde(default)]
    pub storage_device: f64,
    /// Seconds of the trainer's cores.
    pub trainer_cpu: f64,
    /// Seconds of the trainer's devices that infer.
    #[serde(default)]
    pub trainer_device: f64,
    /// Seconds of the accelerator.
    pub accelerator: f64,
    /// The largest of these: the seconds of the epoch.
    pub epoch: f64,
}

// === impl Prediction ===

impl Prediction {
    /// The prediction's seconds by kind of resource.
    pub fn seconds(&self) -> Seconds {
        Seconds::of(&self.resources)
    }
}

// === impl Seconds ===

impl Seconds {
    pub(crate) fn of(resources: &[ResourceTime]) -> Self {
        let mut seconds = Self::default();
        for time in resources {
            let kind = match time.resource {
                Resource::Network | Resource::ServerNetwork(_) => &mut seconds.network,
                Resource::StorageCpu(_) => &mut seconds.storage_cpu,
                Resource::StorageDevice(_) => &mut seconds.storage_device,
                Resource::TrainerCpu => &mut seconds.trainer_cpu,
                Resource::TrainerDevice => &mut seconds.trainer_device,
                Resource::Accelerator => &mut seconds.accelerator,
            };
            *kind = kind.max(time.seconds);
            seconds.epoch = seconds.epoch.max(time.seconds);
        }
        seconds
    }
}
