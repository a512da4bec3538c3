//! What an epoch may use, as the servers announce it.

use headwater_client::Dataset;
use headwater_plan::{Cores, Resources, ServerResources};

use crate::target::Making;

/// The servers' announced CPU workers, and the threads that finish here; bandwidths and the accelerator are the
/// caller's to set.
pub fn resources_of(dataset: &Dataset) -> Resources {
    let server = |partition: &headwater_client::Partition| ServerResources {
        cores: Cores::from(partition.cpu_workers),
        bandwidth: None,
        devices: None,
    };
    let threads = u32::try_from(dataset.options().cpu_workers.get()).unwrap_or(u32::MAX);
    Resources {
        servers: dataset.partitions().iter().map(server).collect(),
        trainer_cores: Some(Cores::from(threads)),
        ..Resources::default()
    }
}

/// The same, with the devices that infer: the servers' as they announce them, and those here.
pub(crate) fn resources_for(dataset: &Dataset, making: Making<'_>) -> Resources {
    let mut resources = resources_of(dataset);
    for (place, server) in resources.servers.iter_mut().enumerate() {
        server.devices = making.devices_of(place);
    }
    resources.trainer_devices = making.devices_here();
    resources
}
