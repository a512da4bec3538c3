//! What an epoch may use, as the servers announce it.

use headwater_client::Dataset;
use headwater_plan::{Cores, Resources, ServerResources};

/// The servers' announced CPU workers, and nothing else: bandwidths, the trainer's cores and the accelerator are the caller's to
/// set.
pub fn resources_of(dataset: &Dataset) -> Resources {
    let server = |partition: &headwater_client::Partition| ServerResources {
        cores: Cores::from(partition.cpu_workers),
        bandwidth: None,
    };
    Resources { servers: dataset.partitions().iter().map(server).collect(), ..Resources::default() }
}
