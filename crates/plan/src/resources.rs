//! What an epoch may use: networks, cores, devices that infer, the accelerator.

use std::fmt;
use std::str::FromStr;

use headwater_types::{BitsPerSecond, DevicePool};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::quantities::{Cores, SamplesPerSecond};

/// Everything that an epoch may use. A resource that is `None` is without limit, and takes no time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Resources {
    /// The trainer's network: all servers send through it.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_bandwidth")]
    pub bandwidth: Option<BitsPerSecond>,
    /// Cores that finish samples at the trainer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trainer_cores: Option<Cores>,
    /// Devices that infer samples at the trainer, which come as pixels; `None` where its cores do, or nothing is
    /// inferred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trainer_devices: Option<DevicePool>,
    /// Samples that the accelerator takes in a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accelerator_rate: Option<SamplesPerSecond>,
    /// The resources of each server, in the order of the profile's servers.
    pub servers: Vec<ServerResources>,
}

/// What one server has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServerResources {
    /// Cores of the server's CPU pool (`--cpu-workers`). Without a core, only ways that take no storage CPU are
    /// possible there.
    pub cores: Cores,
    /// The server's network.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_bandwidth")]
    pub bandwidth: Option<BitsPerSecond>,
    /// The server's devices that infer samples: what comes as features takes their time beside the cores'. `None` where
    /// its cores infer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub devices: Option<DevicePool>,
}

/// One thing that can run out first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// The trainer's network.
    Network,
    /// The network of the server at this place.
    ServerNetwork(usize),
    /// The cores of the server at this place.
    StorageCpu(usize),
    /// The devices of the server at this place, on which its model runs.
    StorageDevice(usize),
    /// The trainer's cores.
    TrainerCpu,
    /// The trainer's devices, on which the model runs there.
    TrainerDevice,
    /// The accelerator.
    Accelerator,
}

/// Text that names no resource.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no resource: use network, server-network:N, storage-cpu:N, storage-device:N, trainer-cpu, \
     trainer-device or accelerator"
)]
pub struct ResourceError(String);

// === impl Resource ===

impl Resource {
    /// The server that has the resource, as a place in the profile's list; `None` for the trainer's resources.
    pub fn server(self) -> Option<usize> {
        match self {
            Self::ServerNetwork(server) | Self::StorageCpu(server) | Self::StorageDevice(server) => Some(server),
            Self::Network | Self::TrainerCpu | Self::TrainerDevice | Self::Accelerator => None,
        }
    }

    /// The kind of the resource: its text without the server.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::ServerNetwork(_) => "server-network",
            Self::StorageCpu(_) => "storage-cpu",
            Self::StorageDevice(_) => "storage-device",
            Self::TrainerCpu => "trainer-cpu",
            Self::TrainerDevice => "trainer-device",
            Self::Accelerator => "accelerator",
        }
    }
}

impl FromStr for Resource {
    type Err = ResourceError;

    fn from_str(text: &str) -> Result<Self, ResourceError> {
        let error = || ResourceError(text.chars().take(64).collect());
        let (kind, server) = match text.split_once(':') {
            Some((kind, server)) => (kind, Some(server.parse().map_err(|_| error())?)),
            None => (text, None),
        };
        match (kind, server) {
            ("network", None) => Ok(Self::Network),
            ("server-network", Some(server)) => Ok(Self::ServerNetwork(server)),
            ("storage-cpu", Some(server)) => Ok(Self::StorageCpu(server)),
            ("storage-device", Some(server)) => Ok(Self::StorageDevice(server)),
            ("trainer-cpu", None) => Ok(Self::TrainerCpu),
            ("trainer-device", None) => Ok(Self::TrainerDevice),
            ("accelerator", None) => Ok(Self::Accelerator),
            _ => Err(error()),
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.server() {
            Some(server) => f.pad(&format!("{}:{server}", self.kind())),
            None => f.pad(self.kind()),
        }
    }
}

impl Serialize for Resource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Resource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Serialises a bandwidth as its text (`430Mbps`), or leaves it out.
mod optional_bandwidth {
    use headwater_types::BitsPerSecond;
    use serde::{Deserialize as _, Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "serde's signature")]
    pub(super) fn serialize<S: Serializer>(value: &Option<BitsPerSecond>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(bandwidth) => serializer.collect_str(bandwidth),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<BitsPerSecond>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(serde::de::Error::custom)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_read_as_they_are_written() {
        let of_server = [Resource::ServerNetwork, Resource::StorageCpu, Resource::StorageDevice].map(|of| of(3));
        let of_trainer = [Resource::Network, Resource::TrainerCpu, Resource::TrainerDevice, Resource::Accelerator];
        for resource in of_server.into_iter().chain(of_trainer) {
            assert_eq!(resource.to_string().parse(), Ok(resource));
        }
        for bad in ["", "storage-device", "trainer-device:0", "storage-device:x", "device"] {
            assert!(bad.parse::<Resource>().unwrap_err().to_string().contains("storage-device:N"), "{bad}");
        }
    }
}
