//! What an epoch may use, as the servers announce it.

use headwater_client::Dataset;
use headwater_plan::{Cores, Resources, ServerResources};

/// The servers' announced CPU workers, and the threads that finish here; bandwidths and the accelerator are the
/// caller's to set.
pub fn resources_of(dataset: &Dataset) -> Resources {
    let server = |partition: &headwater_client::Partition| ServerResources {
        cores: Cores::from(partition.cpu_workers),
        bandwidth: None,
    };
    let threads = u32::try_from(dataset.options().cpu_workers.get()).unwrap_or(u32::MAX);
    Resources {
        servers: dataset.partitions().iter().map(server).collect(),
        trainer_cores: Some(Cores::from(threads)),
        ..Resources::default()
    }
}
